"""What one command costs: wall time, CPU with all its children, peak memory.

If the machine has cgroup2, the command gets its own control group, so daemons that it leaves behind count, too. If
not, only processes that were waited for count.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.5


@dataclass(frozen=True)
class Cost:
    """The cost of a command, in seconds and bytes."""

    status: int
    wall: float
    cpu: float
    peak: int


def measure(command: Sequence[str], cwd: Path, environment: Mapping[str, str], log: Path, timeout: float) -> Cost:
    """Run a command to its end with all output in `log`. The status is -9 if it did not end in time."""
    group = _make_group()
    peak = _Peak(group)

    def enter() -> None:
        if group:
            (group / "cgroup.procs").write_text("0")

    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as stream:
        began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=cwd, env={**_plain(), **environment}, stdin=subprocess.DEVNULL,
            stdout=stream, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=enter,
        )  # fmt: skip
        overdue = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
        overdue.start()
        peak.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        overdue.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    peak.stop()
    cpu = usage.ru_utime + usage.ru_stime
    if group:
        cpu = cpu_seconds(group) or cpu
        _end(group)
    return Cost(process.returncode, wall, cpu, max(peak.bytes, usage.ru_maxrss * 1024))


def _plain() -> dict[str, str]:
    """The environment without variables that change how Python runs, such as PYTHONDONTWRITEBYTECODE."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def calm(busy: float = 0.45, seconds: float = 180) -> None:
    """Wait until this machine's processors are less busy than `busy`: hosts that were just made or changed keep
    working for a while. After `seconds` the measurement begins in any case."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = _ticks()
        time.sleep(3)
        idle, whole = (now - then for now, then in zip(_ticks(), before, strict=True))
        if idle > (1 - busy) * whole:
            return


def _ticks() -> tuple[int, int]:
    """Idle and all ticks of all processors since the machine's start."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return ticks[3] + ticks[4], sum(ticks)


def cpu_seconds(group: Path) -> float | None:
    """CPU that a control group has used since it was made, its dead processes included."""
    with contextlib.suppress(OSError):
        words = (group / "cpu.stat").read_text().split()
        return int(words[words.index("usage_usec") + 1]) / 1e6
    return None


def unified() -> Path | None:
    """The mount point of cgroup2."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, point, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(point)
    return None


def _make_group() -> Path | None:
    root = unified()
    if root is None or os.geteuid():
        return None
    group = root / f"nexus-bench-{os.getpid()}"
    with contextlib.suppress(OSError):
        group.mkdir(exist_ok=True)
        return group
    return None


def _members(group: Path) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(word) for word in (group / "cgroup.procs").read_text().split()]
    return []


def _end(group: Path) -> None:
    """End processes that the command left behind, such as its ssh masters, and remove the group."""
    deadline = time.monotonic() + 10
    while (left := _members(group)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    with contextlib.suppress(OSError):
        group.rmdir()


class _Peak:
    """The peak memory of all processes of a group together, shared pages counted once."""

    def __init__(self, group: Path | None) -> None:
        self.bytes = 0
        self._group = group
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while self._group and not self._ended.wait(SAMPLE_SECONDS):
            self.bytes = max(self.bytes, sum(map(_held, _members(self._group))))


def _held(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
