"""The contents of a host's own disk, read from the machine outside: the upper directory of its overlay."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

Entry = tuple[object, ...]


class Disk:
    """An upper directory and its contents at the last look.

    A file's content is read again only when its inode or its time of status change differs: the kernel sets
    that time with each write, and no program can set it back.
    """

    def __init__(self, upper: Path) -> None:
        self.upper = str(upper)
        self._entries: dict[str, Entry] = {}
        self._contents: dict[tuple[int, int], str] = {}

    def changed(self) -> set[str]:
        """Paths that are new, gone or changed in any way since the last look."""
        before, self._entries = self._entries, self._look()
        now = self._entries
        return {path for path in {*before, *now} if before.get(path) != now.get(path)}

    def _look(self) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for directory, folders, names in os.walk(self.upper):
            for name in (*folders, *names):
                path = os.path.join(directory, name)
                try:
                    found[path.removeprefix(self.upper)] = self._entry(path)
                except FileNotFoundError:  # gone between the listing and the look
                    continue
        return found

    def _entry(self, path: str) -> Entry:
        about = os.lstat(path)
        content = os.readlink(path) if stat.S_ISLNK(about.st_mode) else ""
        if stat.S_ISREG(about.st_mode):
            content = self._content(path, (about.st_ino, about.st_ctime_ns))
        return about.st_mode, about.st_uid, about.st_gid, about.st_size, about.st_mtime_ns, content

    def _content(self, path: str, version: tuple[int, int]) -> str:
        if version not in self._contents:
            with open(path, "rb") as stream:
                self._contents[version] = hashlib.file_digest(stream, "sha256").hexdigest()
        return self._contents[version]
