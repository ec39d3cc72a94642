"""Runs on a host: restarts a unit and waits until it does its work. Standard library alone."""

from __future__ import annotations

from typing import Any

from roles.kit.agent.base import RemoteError, run
from roles.kit.agent.check import refusal
from roles.kit.agent.systemd import units
from roles.kit.agent.unit import wait_ready


def apply(items: Any, changed: Any, removed: Any, context: dict[str, Any], payload: Any) -> None:
    """Restart {"name", "checks", "ready_check"}; RemoteError with the last lines of its log."""
    name = context["name"]
    if why := next(filter(None, map(refusal, filter(None, context["checks"]))), None):
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
