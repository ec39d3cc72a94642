"""What an earlier run worked out, in this user's cache: a file each, read only where nothing about it is in doubt.

It holds for the very inputs that it was made from. Files may be removed at any time.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path

from roles.kit.memory import cache_directory


def read(name: str, inputs: str) -> bytes | None:
    """What was written for these inputs; None where it is not there, not whole, or may be somebody else's."""
    with suppress(OSError, ValueError):
        head, body = _own(cache_directory() / name).split(b"\n", 1)
        if head == _head(inputs, body):
            return body
    return None


def write(name: str, inputs: str, body: bytes) -> None:
    """Keep a body for the next run, whole or not at all. What cannot be kept is done without."""
    path = cache_directory() / name
    fresh = path.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_head(inputs, body) + b"\n" + body)
        fresh.replace(path)


def _head(inputs: str, body: bytes) -> bytes:
    return f"{inputs} {hashlib.sha256(body).hexdigest()}".encode()


def _own(path: Path) -> bytes:
    """A file that nobody but this user can have written; PermissionError for any other."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        about = os.fstat(file.fileno())
        foreign = about.st_uid != os.geteuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if foreign or not stat.S_ISREG(about.st_mode):
            raise PermissionError(f"{path} can be written by others")
        return file.read()
