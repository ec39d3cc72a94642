"""Refusals before the first change: changes that a host's kernel or administrator prevents.

Nothing is refused if nothing must be changed. Pure functions: they see data, never a host.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nexus.agent.kernel import told
from nexus.agent.obstacle import PACKAGES
from nexus.error import OperatorError
from nexus.plan.comparison import Answer, Differences
from nexus.plan.desired import Desired
from nexus.plan.kinds.package import Package

SPARE_BYTES, SPARE_INODES = 1 << 16, 8  # in addition to what is written: manifests, and growth of directories
PACKAGE_BYTES = 64 << 20  # minimum free space to install anything
BLOCK = 4096
SHOWN = 5


def check(name: str, role: str, plan: Desired, answer: Answer, compare: Callable[[], Differences]) -> None:
    """OperatorError with all obstacles to necessary changes; compares the host only if there are any obstacles."""
    lines = [line for item in plan.everything for line in item.obstacles(answer, name)]
    if answer["obstacles"]["paths"] or answer["obstacles"]["room"]:
        found = compare()
        lines += [*_paths(found, answer), *_room(found, answer)]
    if lines:
        more = [f"... and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        raise OperatorError(f"{name}: {role} cannot be converged: " + "\n  ".join([*lines[:SHOWN], *more]))


def of_states(plan: Desired, answer: Answer) -> list[str]:
    """Obstacles that the plan's states report: a run must not undo them."""
    told = [item for state in plan.states for item in state.present(answer)["items"].values()]
    return [item["obstacle"] for item in told if item.get("obstacle")]


def _touched(found: Differences) -> Iterator[tuple[str, int]]:
    """(path, bytes to be written there) of everything that will be made, changed or removed."""
    for step in found.steps:
        for item in step["items"] if step["do"] == "items" else ():
            if "path" in item:
                yield item["path"], len(item.get("data", "")) * 3 // 4


def _installs(found: Differences) -> bool:
    return any(step.get("kind") == Package.plural for step in found.steps)


def _paths(found: Differences, answer: Answer) -> Iterator[str]:
    """One line for each obstacle, with the first path that it concerns."""
    known = answer["obstacles"]["paths"]
    paths = [path for path, _ in _touched(found)]
    if _installs(found):
        paths += PACKAGES
    grouped: dict[tuple[str, str], list[str]] = {}
    for path in paths:
        if path in known:
            grouped.setdefault(tuple(known[path]), []).append(path)
    for (code, place), concerned in grouped.items():
        others = f" ({len(concerned) - 1} more paths for the same reason)" if len(concerned) > 1 else ""
        yield told(code, concerned[0], place) + others


def _room(found: Differences, answer: Answer) -> Iterator[str]:
    """One line for each file system that is too full for the planned writes."""
    room: Mapping[str, list[Any]] = answer["obstacles"]["room"]
    needed: dict[str, list[int]] = {}
    for path, size in _touched(found):
        if directory := room.get(os.path.dirname(path)):
            wanted = needed.setdefault(directory[0], [SPARE_BYTES, SPARE_INODES])
            wanted[0] += -(-size // BLOCK) * BLOCK
            wanted[1] += 1
    if _installs(found):
        for mount in {room[path][0] for path in PACKAGES if path in room}:
            needed.setdefault(mount, [0, SPARE_INODES])[0] += PACKAGE_BYTES
    left = {mount: (free, inodes) for mount, free, inodes in room.values()}
    for mount, (size, files) in needed.items():
        free, inodes = left[mount]
        if free < size:
            yield (
                f"no space is left on the file system of {mount}: this run writes {_amount(size)} and "
                f"{_amount(free)} are free: df -h {mount}; free some space, then rerun"
            )
        elif inodes < files:
            yield (
                f"no inodes are left on the file system of {mount}: this run writes {files} files and "
                f"{inodes} inodes are free: df -i {mount}; remove files there, then rerun"
            )


def _amount(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB" if size >= 1 << 20 else f"{size // 1024} KiB"
