"""The machine that starts runs: its user, files and output, and the checkout and command line of a run."""

import getpass
import io
import json
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

MANIFEST = "deployment-manifest.json"  # in an unpacked bundle it names the commit, where git cannot


def settle() -> None:
    """Prepare this process. Call this once, before anything is read or written."""
    os.umask(os.umask(0o077) & 0o077)  # the owner must be able to read what this process writes
    with suppress(locale.Error):
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")  # Python decodes files by locale; the project's files are UTF-8
    sys.stdout, sys.stderr = _kept(sys.stdout, 1), _kept(sys.stderr, 2)
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        click.get_current_context().color = False


class _Output(io.FileIO):
    """Output that ignores write errors: `| head -1` or a full disk must not stop a change halfway."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BlockingIOError:
            raise
        except OSError:
            return len(data)


def _kept(stream: Any, number: int) -> Any:
    """Return the same stream, except that it drops output that it cannot write."""
    with suppress(OSError, ValueError, AttributeError):
        if stream.fileno() == number:
            stream.flush()
            raw = io.BufferedWriter(_Output(number, "w", closefd=False))
            return io.TextIOWrapper(raw, stream.encoding, "backslashreplace", line_buffering=True)
    return stream


def write_whole(path: Path, content: str | bytes, mode: int = 0o644, owner: tuple[int, int] = (-1, -1)) -> None:
    """Replace a file atomically, and create the directories above it; `owner` is (uid, gid).

    On an OSError the old file is unchanged. The error names the file, even for a full disk.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)  # left by a killed process with the same PID
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
    """Return the operator's user name, or `uid-NUMBER` if the user database does not have one."""
    with suppress(KeyError, OSError):
        return getpass.getuser()
    return f"uid-{os.getuid()}"


def at_home(path: str, setting: str) -> Path:
    """Return a path with ~ replaced; OperatorError if this user has no home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise OperatorError(
            f"{setting} is {path}, but this user has no home: set HOME, or set {setting} to an absolute path"
        ) from None


def bundle() -> dict[str, Any]:
    """Return {"name", "epoch", "dirty"} of the commit that an unpacked bundle was made from; empty in a clone."""
    try:
        about = json.loads((project.root() / MANIFEST).read_text(encoding="utf-8"))["commit"]
        return {"name": str(about["name"]), "epoch": int(about["epoch"]), "dirty": bool(about["dirty"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def checkout() -> dict[str, Any]:
    """Return {"commit", "dirty"} of this run's checkout, from git or an unpacked bundle. Unknown values are empty."""
    if not (project.root() / ".git").exists() and (known := bundle()):
        return {"commit": known["name"], "dirty": known["dirty"]}

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
    """Return the command line in short: operations, data and hosts."""
    words = [str(word) for word in given["operations"]]
    words = words[:2] if words[0] == "exec" else words  # the other arguments of exec may hold anything
    words += [f"--data {word}" for word in given["data"] if not word.startswith(("ssh_", "_"))]
    words += [f"--{option} {word}" for option in ("limit", "exclude") for word in given[option] or ()]
    return " ".join(words)
