"""Runs on a host: restarts a unit and waits until it does its work. Standard library alone."""

from __future__ import annotations

from typing import Any

from roles.kit.agent.base import RemoteError, refusal, run, units
from roles.kit.agent.step import wait_ready


def apply(items: Any, changed: Any, removed: Any, context: dict[str, Any], payload: Any) -> None:
    """Restart {"name", "reload_check", "ready_check"}; RemoteError with the last lines of its log."""
    name = context["name"]
    if context["reload_check"] and (why := refusal(context["reload_check"])):
        raise RemoteError(f"{name} is left as it runs: {why}")
    try:
        run(["systemctl", "restart", name], timeout=300)
    except RemoteError as error:
        log = run(["journalctl", "--no-pager", "-q", "-n", "15", "-o", "cat", "-u", name])
        raise RemoteError(f"{error}\nlast lines of its log:\n{log}") from None
    if context["ready_check"]:
        wait_ready(context)
    state = units([name])[name]["ActiveState"]
    if state not in ("active", "reloading"):
        raise RemoteError(f"{name} is {state} after its restart: journalctl -u {name} says why")
    print(f"{name} is {state}")
