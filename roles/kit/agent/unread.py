"""Whether a unit file has changed since systemd read them all.

systemd answers that for each unit, by looking through every directory that could hold a drop-in of it: 1 ms for each,
where one look at everything takes 1.5. What this finds is never less than what systemd would: whenever it says that
something has changed, systemd is asked which unit that concerns.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence

# As systemd.unit(5) lists them, less what systemd's own generators write; and sources of generated units.
PLACES = (
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/etc/init.d",
)
# When systemd began to read: at its last reload, and at its start. By the clock, and since the host's start, in
# microseconds: whichever way the clock was set since, one of the two is early enough.
MOMENTS = (
    "UnitsLoadTimestamp",
    "UnitsLoadTimestampMonotonic",
    "UnitsLoadStartTimestamp",
    "UnitsLoadStartTimestampMonotonic",
)
COARSE_SECONDS = 0.02  # the kernel stamps files with a clock that ticks; a change so shortly before counts as after


def unread(moments: Sequence[int]) -> bool:
    """Whether anything has changed since these MOMENTS; a host that never noted them counts as changed."""
    loaded = max(_moment(*moments[:2]), _moment(*moments[2:]))
    return any(_newest(place) > loaded - COARSE_SECONDS for place in PLACES)


def _moment(clock: int, since_start: int) -> float:
    if not clock or not since_start:
        return 0.0
    started = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
    return min(clock / 1e6, started + since_start / 1e6)


def _newest(place: str) -> float:
    """When anything at a place, or in a directory of drop-ins there, changed last; 0 where nothing is."""
    newest = 0.0
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(place) as entries:
        newest = os.stat(place).st_ctime
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # a link to nowhere
                if not entry.is_dir():
                    newest = max(newest, entry.stat().st_ctime)
                elif entry.name.endswith(".d"):
                    newest = max(newest, _newest(entry.path))
    return newest
