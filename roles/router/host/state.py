"""The running router on its host: which configuration it runs with."""

import contextlib
import json
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from nexus.agent import http
from nexus.agent.change import Change
from nexus.agent.lib import RemoteError, run
from nexus.agent.wait import tries, wait_until

DEADLINE_SECONDS = 20
END_SECONDS = 3  # between the end of what runs in a container and that of the container
ATTEMPTS = 2  # HAProxy's master loses a signal that arrives while it re-executes itself
# bash's own TCP, because the image has no other client
READ = "exec 3<>/dev/tcp/127.0.0.1/{admin_port} && echo 'show servers state' >&3 && cat <&3"
WRITE = "cat >{state_file}.new && mv {state_file}.new {state_file}"


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The hash that the router names in its /health."""
    return {"router config": {"sha256": running_config(context)}}


def apply(change: Change) -> None:
    """Reload the router."""
    take(change.items["router config"]["sha256"], change.context)


def take(wanted: str, context: Mapping[str, Any]) -> None:
    """Reload the router until it runs with the wanted configuration; RemoteError with its alerts if it never does."""
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
    """The hash of the running configuration; the wanted one where no router runs that could be stale."""
    try:
        return http.get(context["port"], "/health", timeout=2).headers.get("x-router-config") or "none"
    except ConnectionRefusedError:
        return "nothing listens" if containers() else str(context["sha256"])
    except OSError as error:
        return f"no answer: {type(error).__name__}"


def containers() -> list[str]:
    """Running containers of the router on this host."""
    try:
        return run(["docker", "ps", "-q", "--filter", "label=nexus.service=router"]).split()
    except RemoteError:  # no engine yet, so no container runs
        return []


def reload(container: str, context: Mapping[str, Any]) -> None:
    """Have the master start new workers, if HAProxy itself finds the configuration valid."""
    try:
        run(["docker", "exec", container, "haproxy", "-c", "-f", f"{context['inside']}/haproxy.cfg"])
    except RemoteError as error:
        if ends(container):
            return
        raise RemoteError(f"the router keeps its old configuration, the new one is not valid: {error}") from None
    with contextlib.suppress(RemoteError):  # a router that does not answer has no state to keep
        inside = [container, "timeout", "5", "bash", "-c"]
        known = tasks_first(run(["docker", "exec", *inside, READ.format(**context)]))
        run(["docker", "exec", "-i", *inside, WRITE.format(**context)], input=known)
    run(["docker", "kill", "--signal", "SIGUSR2", container])


def tasks_first(known: str) -> str:
    """What HAProxy's workers know of their tasks, with those that have an address in the first places of each backend.

    A new worker gives a known address to the first place without one, and takes it away from the place where it was:
    a lone task would be in none for a moment.
    """
    lines = []
    for _, rows in groupby(map(str.split, known.splitlines()), key=lambda row: row[1:2]):
        places = [*rows]
        ordered = sorted(places, key=lambda row: row[4:5] == ["-"])
        lines += [" ".join([*row[:2], *place[2:4], *row[4:]]) for place, row in zip(places, ordered, strict=True)]
    return "".join(f"{line}\n" for line in lines)


def ends(container: str) -> bool:
    """Whether a router is on its way out, as on a host that is drained: the next one reads the new file by itself."""
    return any(container not in containers() for _ in tries(END_SECONDS, pause=0.2))


def replace(container: str) -> None:
    """Kill a router that no longer takes signals or does not reload; Swarm starts another one."""
    run(["docker", "kill", container])
    late = f"Swarm started no router within {DEADLINE_SECONDS} s after {container} was killed"
    wait_until(lambda: set(containers()) - {container}, DEADLINE_SECONDS, late, pause=0.2)


def wait_for(wanted: str, context: Mapping[str, Any]) -> str:
    """The configuration that answers once the new workers do, or when the time is up."""
    for _ in tries(DEADLINE_SECONDS, pause=0.1):
        if (found := running_config(context)) == wanted:
            break
    return found


def alerts(container: str) -> str:
    """HAProxy's latest alerts; its other lines are about servers that come and go."""
    script = 'docker logs --tail 500 "$1" 2>&1 | grep -F ALERT | tail -n 10'
    return run(["sh", "-c", f"{script} || true", "sh", container]).strip()
