"""The machine that runs the lab: commands, processes, mounts. Knows nothing about hosts."""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

from nexus.error import OperatorError


class LabError(OperatorError):
    """A problem of the lab that its user can fix; the text says what, where and how."""


def say(line: str) -> None:
    """Print one line of progress."""
    print(line, flush=True)


def run(*command: str, check: bool = True, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command on the machine; LabError with its output if it fails and `check` is set."""
    done = subprocess.run(command, capture_output=True, text=True, input=stdin, check=False)
    if check and done.returncode:
        said = (done.stderr or done.stdout).strip() or "no output"
        raise LabError(f"`{' '.join(command)}` failed with status {done.returncode}: {said}")
    return done


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.05) -> bool:
    """Poll until the condition holds or the time is over; returns whether it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """One command changes the machine's labs at a time; a second one waits and says so."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"lab: waiting for another lab command on this machine (it holds {lock.name})")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Process:
    """A process of the machine, from /proc."""

    pid: int
    parent: int
    command: tuple[str, ...]


def processes() -> list[Process]:
    """Every process that has a command line, those inside the hosts included."""
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            command = Path(entry.path, "cmdline").read_bytes()
            if not command:
                continue
            stat = Path(entry.path, "stat").read_text()
        except (OSError, ValueError):  # gone meanwhile
            continue
        words = tuple(command.decode(errors="replace").rstrip("\0").split("\0"))
        found.append(Process(int(entry.name), int(stat.rpartition(")")[2].split()[1]), words))
    return found


def descendants(pid: int, table: Sequence[Process]) -> list[int]:
    """The processes below this one, nearest first."""
    children: dict[int, list[int]] = {}
    for process in table:
        children.setdefault(process.parent, []).append(process.pid)
    found, queue = [], [pid]
    while queue:
        below = children.get(queue.pop(0), [])
        found += below
        queue += below
    return found


def kill(pids: Sequence[int], seconds: float = 20) -> None:
    """Send SIGKILL to one after the other, with `seconds` for each to end; LabError names those that do not.

    Each process is held by a handle: on a busy machine the number of an ended process is soon reused.
    Only one handle is open at a time: a lab has more processes than a user may have open files.
    """
    left = [pid for pid in dict.fromkeys(pids) if not _killed(pid, seconds)]
    if left:
        numbers = ", ".join(map(str, left))
        raise LabError(f"processes {numbers} survived SIGKILL: something in the kernel holds them, see dmesg")


def _killed(pid: int, seconds: float) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        with suppress(ProcessLookupError):  # ended, but not yet reaped by its parent
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        return bool(wait([handle], seconds))
    finally:
        os.close(handle)


def mounts_below(directory: Path) -> list[str]:
    """Mount points at or below a directory, deepest first."""
    prefix = str(directory)
    lines = Path("/proc/self/mounts").read_text().splitlines()
    points = [line.split()[1].replace("\\040", " ") for line in lines]
    return sorted((p for p in points if p == prefix or p.startswith(prefix + "/")), key=len, reverse=True)


def unmount_below(directory: Path) -> None:
    """Unmount everything at or below a directory."""
    for point in mounts_below(directory):
        if run("umount", point, check=False).returncode:
            run("umount", "--lazy", point)


def remove_tree(directory: Path) -> None:
    """Delete a directory of the lab, never through a mount."""
    if not directory.exists():
        return
    unmount_below(directory)
    if left := mounts_below(directory):
        raise LabError(f"{left[0]} is still mounted, so {directory} is not deleted: unmount it and rerun")
    try:
        shutil.rmtree(directory)
    except PermissionError:  # a host's audit record is append-only
        run("chattr", "-R", "-f", "-a", str(directory), check=False)
        shutil.rmtree(directory)
