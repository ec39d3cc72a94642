"""The running Nginx on its host: which configuration its workers use."""

from collections.abc import Mapping
from typing import Any

from nexus.agent import http
from nexus.agent.change import Change
from nexus.agent.lib import RemoteError, run
from nexus.agent.wait import tries

SETTLE_SECONDS = 3  # how long a reload may take before it is repeated
DEADLINE_SECONDS = 15


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The hash that Nginx names on its status port; empty where it does not run."""
    found = running_config(context)
    return {"nginx config": {"sha256": found}} if found else {}


def apply(change: Change) -> None:
    """Wait until this run's reload takes effect; reload if there was none, or if it had no effect."""
    wanted = change.items["nginx config"]["sha256"]
    if reached(wanted, change.context, SETTLE_SECONDS):
        return
    run(["nginx", "-t", "-q"])
    run(["systemctl", "reload", "nginx.service"])
    if not reached(wanted, change.context, DEADLINE_SECONDS):
        with open(change.context["log"], errors="replace") as stream:
            log = "".join(stream.readlines()[-8:])
        raise RemoteError(f"nginx was reloaded but still runs with its old configuration; its error log ends:\n{log}")


def reached(wanted: str, context: Mapping[str, Any], seconds: float) -> bool:
    """Whether the workers have the wanted configuration within this time."""
    return any(running_config(context) == wanted for _ in tries(seconds, pause=0.05))


def running_config(context: Mapping[str, Any]) -> str | None:
    """The answer of the status port; None where nothing answers."""
    try:
        answer = http.get(context["port"], "/config", timeout=2)
    except OSError:
        return None
    return answer.body.decode(errors="replace") if answer.status == 200 else "none"
