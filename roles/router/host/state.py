"""The running router on its host: which configuration it runs with, and whether its port is guarded."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from typing import Any

from nexus.agent import http
from nexus.agent.change import Change
from nexus.agent.iptables import rules as saved
from nexus.agent.lib import RemoteError, run
from nexus.agent.wait import tries, wait_until

DEADLINE_SECONDS = 20
ATTEMPTS = 2  # HAProxy's master loses a signal that comes while it starts itself again
# bash's own TCP, because the image has no other client
SAVE = """set -e
exec 3<>/dev/tcp/127.0.0.1/{admin_port}
echo 'show servers state' >&3
cat <&3 >{state_file}.new
mv {state_file}.new {state_file}"""
JUMPS = {"iptables": {"DOCKER-USER", "INPUT"}, "ip6tables": {"INPUT"}}


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Hash that the router names in its /health, and the hash of the guard's rules."""
    return {"router config": {"sha256": running_config(context)}, "router guard": {"rules": guarding()}}


def apply(change: Change) -> None:
    """Reload the router where it runs with another configuration; lay the guard's rules again."""
    if "router guard" in change.changed:
        run(["systemctl", "restart", change.context["guard"]])
    if "router config" in change.changed:
        take(change.items["router config"]["sha256"], change.context)


def take(wanted: str, context: Mapping[str, Any]) -> None:
    """Reload the router until it runs with the wanted configuration; RemoteError with its alerts when it does not."""
    for attempt in range(ATTEMPTS + 1):
        for container in containers():
            reload(container, context) if attempt < ATTEMPTS else replace(container)
        if not containers() or (found := wait_for(wanted, context)) == wanted:
            return
    log = "\n".join(alerts(name) for name in containers())
    raise RemoteError(
        f"the router was reloaded but does not run with the new configuration ({json.dumps(found)} "
        f"instead of {wanted}); its alerts:\n{log}"
    )


def running_config(context: Mapping[str, Any]) -> str:
    """The hash of the configuration that answers; the wanted one where nothing runs that could be stale."""
    try:
        return http.get(context["port"], "/health", timeout=2).headers.get("x-router-config") or "none"
    except ConnectionRefusedError:
        return "nobody listens" if containers() else str(context["sha256"])
    except OSError as error:
        return f"no answer: {type(error).__name__}"


def guarding() -> str | None:
    """Hash of the rules in force; it is part of a rule's comment. None where a rule or a jump is missing."""
    found = set()
    for program, jumps in JUMPS.items():
        try:
            rules = own_rules(program)
        except RemoteError:
            if program == "ip6tables":
                continue
            return None
        own = [rule for rule in rules if rule.startswith("-A NEXUS-ROUTER ")]
        expected = [re.search(r"nexus-router ([0-9a-f]+) (\d+)", rule) for rule in own]
        stamps = {(match[1], int(match[2])) for match in expected if match}
        present = {rule.split()[1] for rule in rules if rule.endswith("-j NEXUS-ROUTER")}
        if len(stamps) != 1 or present != jumps:
            return None
        stamp, count = stamps.pop()
        if len(own) != count:
            return None
        found.add(stamp)
    return found.pop() if len(found) == 1 else None


def own_rules(program: str) -> list[str]:
    """Rules of the table `filter`."""
    if program == "iptables":
        return [rule for table, rule in saved() if table == "filter"]
    return run([program, "-w", "-S"]).splitlines()


def containers() -> list[str]:
    """Running containers of the router on this host."""
    try:
        return run(["docker", "ps", "-q", "--filter", "label=nexus.service=router"]).split()
    except RemoteError:  # no engine yet, so nothing runs
        return []


def reload(container: str, context: Mapping[str, Any]) -> None:
    """Tell the master to start new workers, once HAProxy itself has found the configuration valid."""
    try:
        run(["docker", "exec", container, "haproxy", "-c", "-f", f"{context['inside']}/haproxy.cfg"])
    except RemoteError as error:
        raise RemoteError(f"the router goes on as before, its new configuration is not valid: {error}") from None
    with contextlib.suppress(RemoteError):  # one that does not answer keeps nothing
        run(["docker", "exec", container, "timeout", "5", "bash", "-c", SAVE.format(**context)])
    run(["docker", "kill", "--signal", "SIGUSR2", container])


def replace(container: str) -> None:
    """End a router that takes no signals any more, or none that help; Swarm starts another one."""
    run(["docker", "kill", container])
    late = f"no router was started within {DEADLINE_SECONDS} s after {container} was ended"
    wait_until(lambda: set(containers()) - {container}, DEADLINE_SECONDS, late, pause=0.2)


def wait_for(wanted: str, context: Mapping[str, Any]) -> str:
    """What answers once the new workers do, or when the time for it is over."""
    for _ in tries(DEADLINE_SECONDS, pause=0.1):
        if (found := running_config(context)) == wanted:
            break
    return found


def alerts(container: str) -> str:
    """What HAProxy complained of lately; its other lines are about servers that come and go."""
    script = 'docker logs --tail 500 "$1" 2>&1 | grep -F ALERT | tail -n 10'
    return run(["sh", "-c", f"{script} || true", "sh", container]).strip()
