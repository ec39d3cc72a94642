"""Runs on a host: restarts a unit and waits until it is ready. Standard library only."""

from typing import Any

from nexus.agent.lib import RemoteError, refusal, run
from nexus.agent.systemd import log, units
from nexus.agent.unit import wait_ready


def restart(context: dict[str, Any]) -> None:
    """Restart the unit {"name", "checks", "ready_check"}; RemoteError has the last lines of its log."""
    name = context["name"]
    if why := next(filter(None, map(refusal, filter(None, context["checks"]))), None):
        raise RemoteError(f"{name} was not restarted: {why}")
    try:
        run(["systemctl", "restart", name], timeout=300)
    except RemoteError as error:
        raise RemoteError("\n".join([str(error), "last lines of its log:", *log(name)])) from None
    if context["ready_check"]:
        wait_ready(context)
    state = units([name])[name]["ActiveState"]
    if state not in ("active", "reloading"):
        raise RemoteError(f"{name} is {state} after its restart: see journalctl -u {name}")
    print(f"{name} is {state}")
