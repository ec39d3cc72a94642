"""Whether a run's process is gone, which only the machine that it ran on can tell."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BOOT = Path("/proc/sys/kernel/random/boot_id")
ENDED = ("Z", "X")  # states of a process that nobody has asked for its exit status yet


def identity() -> dict[str, Any]:
    """This process as nobody else can be: its machine since it booted, its number there, and when it began.

    Nothing where the kernel does not tell, as on systems other than Linux: then nobody can say it is dead.
    """
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino  # in a container numbers are other processes'
        return {"machine": f"{BOOT.read_text().strip()} {namespace}", "began": _began(os.getpid())}
    except OSError:
        return {}


def dead(holder: Mapping[str, Any]) -> bool:
    """Whether a holder of the lock ran on this machine and has ended; False where that cannot be known."""
    mine = identity()
    if not mine or holder.get("machine") != mine["machine"]:
        return False
    return bool(_began(int(holder["process"])) != holder["began"])


def _began(process: int) -> int | None:
    """When a process began, in clock ticks since boot; None where there is none or it has ended."""
    try:
        state, *rest = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state in ENDED else int(rest[18])
