"""What stands in the way of a change on this host, before any is made: it is asked with every probe, and costs 1 ms.

Whether anything has to be changed there, the controller finds out; what is named here and stays as it is, is left
alone.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Collection, Mapping
from typing import Any

from nexus.agent import kernel
from nexus.agent.file import abandoned

ROOM_BYTES, ROOM_INODES = 1 << 30, 1000  # a file system with more of both is no concern of a run
PACKAGES = ("/usr/bin", "/etc", "/var/lib/dpkg", "/var/cache/apt/archives")  # where every package writes
Found = dict[str, Any]


def obstacles(entries: Mapping[str, list[Any] | None], packages: bool) -> Found:
    """{"paths": {path: [code of kernel.WORDS, place]}, "room": {path: [mount point, bytes, inodes]}, "left": [paths]}.

    `entries` is what lies at each planned path, as nexus/agent/kinds/path.py tells it.
    """
    found: Found = {"paths": {}, "room": {}, "left": []}
    mounts, seen = kernel.mounts(), dict[str, list[str]]()

    def state(directory: str) -> list[str]:
        if directory not in seen:
            seen[directory] = _directory(directory, found)
        return seen[directory]

    for path, entry in entries.items():
        kind, parent = entry[0] if entry else "", os.path.dirname(path)
        own = list(entry[4]) if entry and kind == "unreadable" else _of_file(path, mounts) if kind == "file" else []
        if obstacle := own or state(path if kind == "directory" else parent):
            found["paths"][path] = obstacle
    for path in PACKAGES if packages else ():
        if obstacle := state(path):
            found["paths"][path] = obstacle
    files = {os.path.dirname(path) for path, entry in entries.items() if entry and entry[0] in ("file", "link")}
    found["left"] = sorted(path for directory in files for path in _left(directory))
    return found


def _of_file(path: str, mounts: Collection[str]) -> list[str]:
    """What keeps a file itself from being changed or replaced."""
    if held := kernel.held_by(path):
        return [held, path]
    return ["MOUNT", path] if path in mounts else []


def _left(directory: str) -> list[str]:
    """Files next to planned ones that a writer left which was killed."""
    with contextlib.suppress(OSError):
        return [f"{directory}/{name}" for name in os.listdir(directory) if abandoned(name)]
    return []


def _directory(directory: str, found: Found) -> list[str]:
    """What is in the way of making something in a directory; notes where little room is left."""
    near = kernel.existing(f"{directory}/.")
    try:
        handle = os.open(near, os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return list(kernel.found_at(f"{near}/.", errno.errorcode.get(error.errno or 0, "")))
    try:
        figures = os.fstatvfs(handle)
        if figures.f_flag & os.ST_RDONLY:
            return ["EROFS", kernel.mount_of(near)]
        _note_room(directory, near, figures, found)
        held = kernel.flag(handle)
        return [held, near] if held else []
    finally:
        os.close(handle)


def _note_room(directory: str, near: str, figures: os.statvfs_result, found: Found) -> None:
    free, inodes = figures.f_bfree * figures.f_frsize, figures.f_ffree if figures.f_files else ROOM_INODES
    if free < ROOM_BYTES or inodes < ROOM_INODES:
        found["room"][directory] = [kernel.mount_of(near), free, inodes]
