"""What is at paths: files, directories, links, or nothing."""

import contextlib
import errno
import functools
import grp
import os
import pwd
import stat
from collections.abc import Iterable
from typing import Any

from nexus.agent import kernel
from nexus.agent.file import remove
from nexus.agent.lib import digest_of

__all__ = ["probe", "remove"]
KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}


def probe(names: Iterable[str]) -> dict[str, list[Any] | None]:
    """{path: [kind, mode, owner, group, digest or target]}, None for a path that does not exist.

    For a link, the first four values of its target follow, or None. For an unreadable path, the arguments of
    kernel.told follow.
    """
    return {path: _look(path) for path in names}


def _look(path: str) -> list[Any] | None:
    try:
        found = os.lstat(path)
        about = _about(found)
        if about[0] == "link":
            return [*about, os.readlink(path), _led_to(path)]
        if about[0] != "file":
            return [*about, None]
        with open(path, "rb") as stream:
            return [*about, digest_of(stream)]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return ["unreadable", 0, "", "", kernel.found_at(path, errno.errorcode.get(error.errno or 0, ""))]


def _about(found: os.stat_result) -> list[Any]:
    kind = KINDS.get(stat.S_IFMT(found.st_mode), "other")
    return [kind, stat.S_IMODE(found.st_mode), _user_name(found.st_uid), _group_name(found.st_gid)]


def _led_to(path: str) -> list[Any] | None:
    """[kind, mode, owner, group] of the final target of a link."""
    with contextlib.suppress(OSError):
        return _about(os.stat(path))
    return None


@functools.cache  # each look-up reads a whole file
def _user_name(number: int) -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    return str(number)


@functools.cache
def _group_name(number: int) -> str:
    with contextlib.suppress(KeyError):
        return grp.getgrgid(number).gr_name
    return str(number)
