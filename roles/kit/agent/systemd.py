"""Units of systemd: in what state they are, and what they were started with."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from roles.kit.agent import bus
from roles.kit.agent.base import read_stamp, run

PROPERTIES = ("LoadState", "ActiveState", "SubState", "UnitFileState", "NeedDaemonReload")

# Not root, or another systemd than is known here.
NOT_UNDERSTOOD = (OSError, bus.BusError, ValueError, struct.error)


def units(wanted: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Properties of each unit, and the stamp of what it was started with."""
    if not wanted:
        return {}
    try:
        told = bus.properties(wanted)
    except NOT_UNDERSTOOD:
        output = run(["systemctl", "show", f"--property={','.join(PROPERTIES)}", "--", *wanted])
        told = [dict(line.split("=", 1) for line in block.splitlines()) for block in output.strip().split("\n\n")]
    return {
        name: {**properties, "stamp": read_stamp(name)} for name, properties in zip(wanted, told, strict=True)
    }


def reread(anyway: bool = False) -> None:
    """Have systemd read its unit files, unless none has changed since it did: that takes a host 0.2 s of a core.

    `anyway` is for what it would not see: a unit that was enabled or disabled.
    """
    try:
        stale = anyway or bus.stale()
    except NOT_UNDERSTOOD:
        stale = True
    if stale:
        run(["systemctl", "daemon-reload"])
