"""Units of systemd."""

import contextlib
from collections.abc import Mapping
from typing import Any

from nexus.agent import file
from nexus.agent.lib import STAMP, RemoteError, run
from nexus.agent.systemd import units as probe

__all__ = ["probe", "remove", "step"]


def step(request: Mapping[str, Any]) -> None:
    """Make units as planned. Units are enabled before systemd rereads its unit files, once for all of them."""
    from nexus.agent.unit import settle  # sent only with steps

    units = request["items"]
    verbs = {
        "mask": [unit["name"] for unit in units if unit["masked"]],
        "enable": [unit["name"] for unit in units if unit["enable"] and not unit["masked"]],
        "disable": [unit["name"] for unit in units if unit["disable"] and not unit["masked"]],
    }
    for verb, names in verbs.items():
        if names:
            run(["systemctl", "--no-reload", verb, *names])
    if request["reread"] or any(verbs.values()):
        run(["systemctl", "daemon-reload"])
    for unit in units:
        if unit["masked"] or not unit["running"]:
            run(["systemctl", "stop", unit["name"]], timeout=180)
        else:
            settle(unit, request.get("put_off", False))


def remove(name: str) -> None:
    if probe([name])[name]["LoadState"] == "loaded":
        run(["systemctl", "disable", "--now", name], timeout=180)
        with contextlib.suppress(RemoteError):  # a unit that something else stopped counts as failed
            run(["systemctl", "reset-failed", name])
    file.remove(f"{STAMP}/{name}")
