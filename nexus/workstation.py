"""The machine on which runs start: its user, files and output, and the checkout and command line of a run."""

import getpass
import io
import locale
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from nexus import project
from nexus.error import OperatorError


def settle() -> None:
    """Prepare this process: called once, before anything is read or written."""
    os.umask(os.umask(0o077) & 0o077)  # the owner must be able to read what this process writes
    with suppress(locale.Error):
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")  # Python decodes files by it: the project's are UTF-8
    sys.stdout, sys.stderr = _kept(sys.stdout, 1), _kept(sys.stderr, 2)
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        click.get_current_context().color = False


class _Output(io.FileIO):
    """Output that may go nowhere: `| head -1` or a full disk must not stop a change halfway."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BlockingIOError:
            raise
        except OSError:
            return len(data)


def _kept(stream: Any, number: int) -> Any:
    """The same stream, except that output it cannot write is lost without an error."""
    with suppress(OSError, ValueError, AttributeError):
        if stream.fileno() == number:
            stream.flush()
            raw = io.BufferedWriter(_Output(number, "w", closefd=False))
            return io.TextIOWrapper(raw, stream.encoding, "backslashreplace", line_buffering=True)
    return stream


def write_whole(path: Path, content: str | bytes, mode: int = 0o644, owner: tuple[int, int] = (-1, -1)) -> None:
    """Replace a file as a whole, and create the directories above it; `owner` is (uid, gid).

    An OSError names the file, even for a full disk; the old file is then unchanged.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)  # left by a killed process of the same number
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chown(fresh, *owner)
        fresh.replace(path)
    except OSError as error:
        error.filename = str(path) if error.filename in (None, str(fresh)) else error.filename
        raise
    finally:
        with suppress(OSError):
            fresh.unlink()


def own_name() -> str:
    """The operator's name, or the number of a user that is not in the user database."""
    with suppress(KeyError, OSError):
        return getpass.getuser()
    return f"uid-{os.getuid()}"


def at_home(path: str, setting: str) -> Path:
    """A path with ~ replaced; OperatorError if this user has no home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise OperatorError(
            f"{setting} is {path}, but this user has no home: set HOME, or set {setting} to an absolute path"
        ) from None


def checkout() -> dict[str, Any]:
    """{"commit", "dirty"} of the checkout of this run; unknown values are empty, such as without git."""

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", *words], cwd=project.root(), capture_output=True, text=True, timeout=10, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    return {"commit": git("rev-parse", "HEAD") or "", "dirty": bool(git("status", "--porcelain"))}


def purpose(given: Mapping[str, Any]) -> str:
    """The command line in short: operations, data and hosts."""
    words = [str(word) for word in given["operations"]]
    words = words[:2] if words[0] == "exec" else words  # its arguments may be anything
    words += [f"--data {word}" for word in given["data"] if not word.startswith(("ssh_", "_"))]
    words += [f"--{option} {word}" for option in ("limit", "exclude") for word in given[option] or ()]
    return " ".join(words)
