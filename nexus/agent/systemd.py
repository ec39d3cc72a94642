"""Units of systemd: in what state they are, and what they were started with."""

import struct
import time
from collections.abc import Mapping, Sequence
from typing import Any

from nexus.agent import systemd_bus
from nexus.agent.lib import read_stamp, run

PROPERTIES = ("LoadState", "ActiveState", "SubState", "UnitFileState", "NeedDaemonReload")
LIFE = ("NRestarts", "ActiveEnterTimestampMonotonic")
# Of one that is up or about to be: so often restarted by systemd since anybody else started it, and up for no longer
# than so many seconds, it is about to crash once more.
CRASHES = ((1, 5), (3, 60))

# Not root, or another systemd than is known here.
NOT_UNDERSTOOD = (OSError, systemd_bus.BusError, ValueError, struct.error)


def units(wanted: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Properties of each unit, the stamp of what it was started with, and `life` of a service that runs."""
    if not wanted:
        return {}
    try:
        told = systemd_bus.properties(wanted)
    except NOT_UNDERSTOOD:
        output = run(["systemctl", "show", f"--property={','.join((*PROPERTIES, *LIFE))}", "--", *wanted])
        told = [dict(line.split("=", 1) for line in block.splitlines()) for block in output.strip().split("\n\n")]
    return {
        name: {**life(properties), **properties, "stamp": read_stamp(name)}
        for name, properties in zip(wanted, told, strict=True)
    }


def life(properties: dict[str, str]) -> dict[str, Any]:
    """{"restarts": how often systemd restarted it, "up": seconds since then, "crashing": whether it does not stay up}.

    Takes the properties that this is found in out of the others; a unit that has none gets nothing.
    """
    restarts, since = (properties.pop(name, "") for name in LIFE)
    if not restarts.isdigit() or properties["ActiveState"] not in ("active", "activating", "reloading"):
        return {}
    down = waits(properties)
    up = 0.0 if down or not int(since or 0) else time.clock_gettime(time.CLOCK_MONOTONIC) - int(since) / 1e6
    starts = properties["ActiveState"] in ("active", "activating")  # the latter while its ExecStartPre runs
    young = starts and any(int(restarts) >= n and up < most for n, most in CRASHES)
    return {"restarts": int(restarts), "up": round(up, 1), "crashing": down or young}


def waits(properties: Mapping[str, Any]) -> bool:
    """Whether a unit has crashed, and systemd is about to start it once more."""
    return bool(properties["SubState"].startswith("auto-restart"))


def log(unit: str, lines: int = 15) -> list[str]:
    """The last lines that a unit's own processes wrote, else what systemd says of it."""
    service = unit if "." in unit else f"{unit}.service"
    show = ["journalctl", "--no-pager", "-q", "-o", "cat", "-n", str(lines)]
    return (run([*show, f"_SYSTEMD_UNIT={service}"]) or run([*show, "-u", unit])).splitlines()
