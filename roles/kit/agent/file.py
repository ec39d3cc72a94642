"""Files on this host: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile

from roles.kit.agent.base import RemoteError


def write_atomic(path: str, data: bytes, mode: int = 0o600, owner: str = "root", group: str = "root") -> None:
    """Write beside the target in a private file, then rename: nobody ever sees half of it."""
    directory = os.path.dirname(path)
    handle, name = tempfile.mkstemp(dir=directory, prefix=".nexus-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        shutil.chown(name, owner, group)
        os.chmod(name, mode)
        if os.path.isdir(path) and not os.path.islink(path):
            raise RemoteError(f"{path} is a directory and should be a file: move it away")
        os.rename(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        with contextlib.suppress(OSError):  # a directory that is in use by others stays
            os.rmdir(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
