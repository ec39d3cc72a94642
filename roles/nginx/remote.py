"""The running Nginx on its host: which configuration its workers have.

Runs on the host as root with the standard library alone; `run` and `RemoteError` come from the kit.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from roles.kit.agent import web
from roles.kit.agent.base import RemoteError, run

SETTLE_SECONDS = 3  # a reload takes that long at most before it is asked for again
DEADLINE_SECONDS = 15


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Hash that Nginx names on its status port; nothing where it does not run."""
    found = running_config(context)
    return {"nginx config": {"sha256": found}} if found else {}


def apply(
    items: Mapping[str, Any],
    changed: list[str],
    removed: list[str],
    context: Mapping[str, Any],
    payload: Mapping[str, Any],
) -> None:
    """Wait until the reload of this run took; reload where there was none, or it did not take."""
    wanted = items["nginx config"]["sha256"]
    if reached(wanted, context, SETTLE_SECONDS):
        return
    run(["nginx", "-t", "-q"])
    run(["systemctl", "reload", "nginx.service"])
    if not reached(wanted, context, DEADLINE_SECONDS):
        with open(context["log"], errors="replace") as stream:
            log = "".join(stream.readlines()[-8:])
        raise RemoteError(
            f"nginx was reloaded but goes on with its old configuration; its error log ends:\n{log}"
        )


def reached(wanted: str, context: Mapping[str, Any], seconds: float) -> bool:
    """Whether the workers have the wanted configuration within this time."""
    end = time.monotonic() + seconds
    while running_config(context) != wanted:
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def running_config(context: Mapping[str, Any]) -> str | None:
    """What the status port answers; None where nothing does."""
    try:
        answer = web.get(context["port"], "/config", timeout=2)
    except OSError:
        return None
    return answer.body.decode() if answer.status == 200 else "none"
