"""Units of systemd: in what state they are, and what they were started with."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from roles.kit.agent import bus
from roles.kit.agent.base import read_stamp, run

PROPERTIES = ("LoadState", "ActiveState", "SubState", "UnitFileState", "NeedDaemonReload")


def units(wanted: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Properties of each unit, and the stamp of what it was started with."""
    if not wanted:
        return {}
    try:
        told = bus.properties(wanted)
    except (OSError, bus.BusError, ValueError, struct.error):  # not root, or another systemd than is known here
        output = run(["systemctl", "show", f"--property={','.join(PROPERTIES)}", "--", *wanted])
        told = [dict(line.split("=", 1) for line in block.splitlines()) for block in output.strip().split("\n\n")]
    return {
        name: {**properties, "stamp": read_stamp(name)} for name, properties in zip(wanted, told, strict=True)
    }
