"""Files on this host: whole or not at all."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

from nexus.agent.lib import RemoteError, show

MARK = ".nexus-"  # begins the name of a file that is to take another's place
LINK = ".nexus-new"  # ends the name of a link that is to


@contextlib.contextmanager
def concerning(path: str) -> Iterator[None]:
    """Let errors of the kernel name this path, and not the file that was to take its place, or none at all."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = path, None
        raise


def write_atomic(path: str, data: bytes, mode: int = 0o600, owner: str = "", group: str = "") -> None:
    """Write a private file next to the target, then rename it: no reader ever sees half a file."""
    put(stage(path, data, mode, owner, group), path)


def stage(path: str, data: bytes, mode: int = 0o600, owner: str = "", group: str = "") -> str:
    """Write a file to disk next to its place; return its name, for `put`. If no owner is named, it is its maker's."""
    with concerning(path):
        # The number of this process tells those who find the file later whether anybody still works on it.
        handle, name = tempfile.mkstemp(prefix=f"{MARK}{os.getpid()}-", dir=os.path.dirname(path))
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            shutil.chown(name, owner or os.getuid(), group or os.getgid())
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
        with concerning(path):
            os.rename(name, path)
        show(f"> {path}")
    except BaseException:
        remove(name)
        raise


def put_link(target: str, path: str) -> None:
    """Put a link in the place of an earlier one: what reads through it finds the old target or the new one."""
    fresh = f"{path}{LINK}"
    with concerning(path):
        remove(fresh)
        os.symlink(target, fresh)
        os.rename(fresh, path)


def abandoned(name: str) -> bool:
    """Whether a file's name is that of one whose writer has ended before it took another's place."""
    if name.endswith(LINK):
        return True  # these are made by steps alone, and nobody looks while one is under way
    if not name.startswith(MARK):
        return False
    number = name.removeprefix(MARK).partition("-")[0]
    return not (number.isdecimal() and os.path.exists(f"/proc/{number}"))


def read_text(path: str) -> str:
    """A small file's text; empty where it cannot be read."""
    with contextlib.suppress(OSError), open(path, errors="replace") as stream:
        return stream.read()
    return ""


def read_json(path: str) -> dict[str, Any]:
    """What a small file of ours holds; empty where it is not there whole."""
    try:
        found: dict[str, Any] = json.loads(read_text(path))
        return found
    except ValueError:
        return {}


def remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        with contextlib.suppress(OSError):  # a directory that is in use by others stays
            os.rmdir(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
