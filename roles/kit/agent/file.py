"""Files on this host: whole or not at all."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd

from roles.kit.agent.base import RemoteError


def write_atomic(path: str, data: bytes, mode: int = 0o600, owner: str = "root", group: str = "root") -> None:
    """Write beside the target in a private file, then rename: nobody ever sees half of it."""
    put(stage(path, data, mode, owner, group), path)


def stage(path: str, data: bytes, mode: int = 0o600, owner: str = "root", group: str = "root") -> str:
    """Write a file to disk next to its place, with its owner and mode; return its name, for `put`."""
    # `tempfile` and `shutil` would do as well, and take 10 ms of every claim to be imported.
    name = os.path.join(os.path.dirname(path), f".nexus-{os.urandom(8).hex()}")
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chown(name, pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid)
        os.chmod(name, mode)
    except BaseException:
        remove(name)
        raise
    return name


def put(name: str, path: str) -> None:
    """Put a file that was staged in its place."""
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            raise RemoteError(f"{path} is a directory and should be a file: move it away")
        os.rename(name, path)
    except BaseException:
        remove(name)
        raise


def remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        with contextlib.suppress(OSError):  # a directory that is in use by others stays
            os.rmdir(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
