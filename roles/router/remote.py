"""The running router on its host: which configuration it runs with, and whether its port is guarded.

Runs on the host as root with the standard library alone; `run` and `RemoteError` come from the kit.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any

from roles.kit.agent import web
from roles.kit.agent.base import RemoteError, run

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
    return {
        "router config": {"sha256": running_config(context)},
        "router guard": {"rules": guarding()},
    }


def apply(
    items: Mapping[str, Any],
    changed: list[str],
    removed: list[str],
    context: Mapping[str, Any],
    payload: Mapping[str, Any],
) -> None:
    """Reload the router where it runs with another configuration; lay the guard's rules again."""
    if "router guard" in changed:
        run(["systemctl", "restart", context["guard"]])
    if "router config" in changed:
        take(items["router config"]["sha256"], context)


def take(wanted: str, context: Mapping[str, Any]) -> None:
    """Reload the router until it runs with the wanted configuration; RemoteError with its alerts when it does not."""
    for _ in range(ATTEMPTS):
        for container in containers():
            reload(container, context)
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
        return web.get(context["port"], "/health", timeout=2).headers.get("x-router-config") or "none"
    except ConnectionRefusedError:
        return str(context["sha256"])
    except OSError as error:
        return f"no answer: {type(error).__name__}"


def guarding() -> str | None:
    """Hash of the rules in force; it is part of a rule's comment. None where a rule or a jump is missing."""
    found = set()
    for program, jumps in JUMPS.items():
        try:
            rules = run([program, "-w", "-S"]).splitlines()
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
        raise RemoteError(
            f"the router goes on as before, its new configuration is not valid: {error}"
        ) from None
    run(["docker", "exec", container, "bash", "-c", SAVE.format(**context)])
    run(["docker", "kill", "--signal", "SIGUSR2", container])


def wait_for(wanted: str, context: Mapping[str, Any]) -> str:
    """What answers once the new workers do, or when the time for it is over."""
    end = time.monotonic() + DEADLINE_SECONDS
    while (found := running_config(context)) != wanted and time.monotonic() < end:
        time.sleep(0.1)
    return found


def alerts(container: str) -> str:
    """What HAProxy complained of lately; its other lines are about servers that come and go."""
    script = 'docker logs --tail 500 "$1" 2>&1 | grep -F ALERT | tail -n 10'
    return run(["sh", "-c", f"{script} || true", "sh", container]).strip()
