"""Whether a daemon writes into log files that still exist, and not into removed ones. The same for every daemon."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from nexus.agent.change import Change
from nexus.agent.file import read_text
from nexus.agent.lib import RemoteError, run
from nexus.agent.wait import tries

SLICE = "/sys/fs/cgroup/system.slice"
GONE = " (deleted)"
SETTLE_SECONDS = 15


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """ "open" says whether all log files that the unit has open still exist."""
    lost = sorted(set(lost_files(context["unit"], context["directory"])))
    item: dict[str, Any] = {"open": not lost}
    if lost:
        item["how"] = f"{context['unit']} writes into removed files: {', '.join(lost)}"
    return dict.fromkeys(names, item)


def apply(change: Change) -> None:
    """Have the daemon reopen its files."""
    context = change.context
    run(context["reopen"], timeout=120)
    for _ in tries(SETTLE_SECONDS, pause=0.2):
        lost = list(lost_files(context["unit"], context["directory"]))
        if not lost:
            return
    command = " ".join(context["reopen"])
    raise RemoteError(f"{context['unit']} still writes into the removed file {lost[0]} after `{command}`")


def lost_files(unit: str, directory: str) -> Iterator[str]:
    """Removed files below a directory that processes of a unit still have open."""
    for process in processes(unit):
        place = f"/proc/{process}/fd"
        with contextlib.suppress(OSError):  # the process has ended
            for handle in os.listdir(place):
                with contextlib.suppress(OSError):
                    target = os.readlink(f"{place}/{handle}")
                    if target.endswith(GONE) and target.startswith(f"{directory}/"):
                        yield target.removesuffix(GONE)


def processes(unit: str) -> list[str]:
    """Process IDs of a unit; empty where it does not run."""
    return read_text(f"{SLICE}/{unit}/cgroup.procs").split()
