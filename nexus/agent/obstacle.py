"""What would block a change on this host, found before any change. Part of every probe; takes 1 ms.

The controller decides whether anything must change there. Obstacles at paths that need no change do no harm.
"""

import contextlib
import errno
import os
from collections.abc import Collection, Mapping
from typing import Any

from nexus.agent import kernel
from nexus.agent.file import abandoned

ROOM_BYTES, ROOM_INODES = 1 << 30, 1000  # a file system with more of both has enough room for a run
PACKAGES = ("/usr/bin", "/etc", "/var/lib/dpkg", "/var/cache/apt/archives")  # every package writes there
Found = dict[str, Any]


def obstacles(entries: Mapping[str, list[Any] | None], packages: bool) -> Found:
    """{"paths": {path: [code of kernel.WORDS, place]}, "room": {path: [mount point, bytes, inodes]}, "left": [paths]}.

    `entries` is what is at each planned path, as nexus/agent/kinds/path.py reports it.
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
    """What prevents a change or replacement of the file itself."""
    if held := kernel.held_by(path):
        return [held, path]
    return ["MOUNT", path] if path in mounts else []


def _left(directory: str) -> list[str]:
    """Files that a killed writer left next to planned ones."""
    with contextlib.suppress(OSError):
        return [f"{directory}/{name}" for name in os.listdir(directory) if abandoned(name)]
    return []


def _directory(directory: str, found: Found) -> list[str]:
    """What prevents a new entry in a directory. Also notes file systems with little room."""
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
