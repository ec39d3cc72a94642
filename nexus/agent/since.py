"""Since when items are as they are. The drift report asks this for items that differ."""

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from nexus.agent.lib import run


def times(request: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Since when files, units and packages are as they are, in seconds since 1970; unknown ones are left out."""
    return {
        "paths": {path: when for path in request["paths"] if (when := _changed(path))},
        "units": _switched(request["units"]),
        "packages": _packaged(request["packages"]),
    }


def _changed(path: str) -> float | None:
    """When a path's content, mode or owner last changed; if it is gone, when its directory changed."""
    for place in (path, os.path.dirname(path)):
        with contextlib.suppress(OSError):
            return os.lstat(place).st_ctime
    return None


def _switched(wanted: Sequence[str]) -> dict[str, float]:
    """When each unit last started or stopped."""
    if not wanted:
        return {}
    shown = run(["systemctl", "show", "--property=StateChangeTimestampMonotonic", "--", *wanted])
    booted = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
    moments = [block.partition("=")[2] for block in shown.split() if "=" in block]
    found = zip(wanted, moments, strict=True)
    return {name: booted + int(moment) / 1e6 for name, moment in found if moment not in ("", "0")}


def _packaged(wanted: Sequence[str]) -> dict[str, float]:
    """When dpkg last changed each package, from dpkg's log."""
    found: dict[str, float] = {}
    with contextlib.suppress(OSError), open("/var/log/dpkg.log", encoding="utf-8", errors="replace") as stream:
        for line in stream:
            words = line.split()
            if len(words) > 4 and words[2] == "status" and words[4].split(":")[0] in wanted:
                moment = time.strptime(f"{words[0]} {words[1]}", "%Y-%m-%d %H:%M:%S")
                found[words[4].split(":")[0]] = time.mktime(moment)
    return found
