"""Whether a run's process is gone, which is known only on the machine where it ran."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BOOT = Path("/proc/sys/kernel/random/boot_id")
ENDED = ("Z", "X")  # states of a process that has ended and was not waited for yet


def identity() -> dict[str, Any]:
    """A unique identity of this process: its machine and boot, its PID namespace, and when it began.

    Empty if the kernel does not provide it, such as on systems other than Linux: then the process never counts as dead.
    """
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino  # in a container, numbers belong to other processes
        return {"machine": f"{BOOT.read_text().strip()} {namespace}", "began": _began(os.getpid())}
    except OSError:
        return {}


def dead(holder: Mapping[str, Any]) -> bool:
    """Whether a holder of the lock ran on this machine and has ended; False if that is unknown."""
    mine = identity()
    if not mine or holder.get("machine") != mine["machine"]:
        return False
    return bool(_began(int(holder["process"])) != holder["began"])


def _began(process: int) -> int | None:
    """When a process began, in clock ticks since boot; None if it does not exist or has ended."""
    try:
        state, *rest = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state in ENDED else int(rest[18])
