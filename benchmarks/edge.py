"""What a request costs at the edge: a bare Nginx, HAProxy alone and our edge before the same task, in one run.

`ways` come from edge_lab.py, which starts the first two next to the lab's router. All are asked in turn, round after
round, and each round begins with another one. CPU is that of the way's own processes, without the kernel's interrupts.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import edge_load
from benchmarks.target import Figures
from nexus.provider.lab.machine import Process, descendants, processes

ROUNDS = 3
SECONDS = 5
HANDSHAKES = 200
IDLE_SECONDS = 10
SHARE = 0.3  # of the edge's own full load, at which all ways are asked for their times
EVERY_SECONDS = 0.5  # between two echoes of a WebSocket
PROTOCOLS = {"h1": "HTTP/1.1", "h2": "HTTP/2"}
TICK = os.sysconf("SC_CLK_TCK")
Ask = Callable[[Mapping[str, Any], Sequence[str]], dict[str, float]]


@dataclass(frozen=True)
class Way:
    """One way to the task. `programs` are parts of command lines; their processes are below the process `below`."""

    name: str
    title: str
    address: str
    port: int
    path: str
    programs: tuple[str, ...]
    logs: tuple[str, ...] = ()  # programs that write down its requests


@dataclass(frozen=True)
class Place:
    """Where ways are asked from: the server's name and CA, and the command that starts a load there."""

    name: str
    ca: str
    below: int
    within: tuple[str, ...] = ()


@dataclass
class Measured:
    """Values of all rounds by way and figure."""

    values: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, way: Way, figure: str, value: float) -> None:
        """One value of one round."""
        self.values.setdefault((way.name, figure), []).append(value)

    def median(self, way: str, figure: str) -> float:
        """The median of all rounds."""
        return statistics.median(self.values[way, figure])


def measure(
    ways: Sequence[Way], place: Place, figures: Figures, rounds: int = ROUNDS, ask: Ask = edge_load.ask
) -> None:
    """All figures of all ways; `ways` ends with our edge."""
    found = Measured()
    edge = ways[-1]
    for way in ways:
        _idle(way, place, found)
    for turn in range(rounds):
        order = [*ways[turn % len(ways) :], *ways[: turn % len(ways)]]
        for protocol in PROTOCOLS:
            for way in order:
                _full_load(way, place, protocol, found, ask)
            for way in order:
                _part_load(way, place, protocol, SHARE * found.median(edge.name, f"{protocol}_rate"), found, ask)
        for way in order:
            _handshakes(way, place, found, ask)
            _websockets(way, place, found, ask)
    for (name, figure), values in found.values.items():
        spread = f"median of {len(values)}, {min(values):.4g} to {max(values):.4g}"
        figures.add(f"{name}_{figure}", found.median(name, figure), spread)
    for protocol, title in PROTOCOLS.items():
        share = found.median(edge.name, f"{protocol}_rate") / found.median(ways[0].name, f"{protocol}_rate")
        figures.add(f"edge_share_{protocol}", share, f"requests/s of our edge, times those of a bare Nginx, {title}")


def _asked(way: Way, place: Place, kind: str, **more: Any) -> dict[str, Any]:
    about = {"address": way.address, "port": way.port, "path": way.path, "name": place.name, "ca": place.ca}
    return {"kind": kind, **about, **more}


def _idle(way: Way, place: Place, found: Measured) -> None:
    """CPU that the way uses without requests, such as for checks of tasks. It belongs to no request."""
    for name, programs in (("idle", way.programs), ("idle_log", way.logs)):
        before = cpu_of(programs, place.below)
        time.sleep(IDLE_SECONDS if programs else 0)
        found.add(way, f"{name}_cpu_us", 1e6 * (cpu_of(programs, place.below) - before) / IDLE_SECONDS)


def _full_load(way: Way, place: Place, protocol: str, found: Measured, ask: Ask) -> None:
    with _cpu(way, place, found) as used:
        done = ask(_asked(way, place, "rate", protocol=protocol, seconds=SECONDS), place.within)
    found.add(way, f"{protocol}_rate", done["rate"])
    found.add(way, f"{protocol}_cpu_us", 1e6 * used["programs"] / done["done"])
    if way.logs:
        found.add(way, f"{protocol}_log_cpu_us", 1e6 * used["logs"] / done["done"])


def _part_load(way: Way, place: Place, protocol: str, rate: float, found: Measured, ask: Ask) -> None:
    done = ask(_asked(way, place, "latency", protocol=protocol, seconds=SECONDS, rate=rate), place.within)
    found.add(way, f"{protocol}_median_ms", done["median"])
    found.add(way, f"{protocol}_p99_ms", done["p99"])


def _handshakes(way: Way, place: Place, found: Measured, ask: Ask) -> None:
    for resumed, name in ((False, "handshake"), (True, "resumption")):
        with _cpu(way, place, found) as used:
            done = ask(_asked(way, place, "handshakes", count=HANDSHAKES, resumed=resumed), place.within)
        found.add(way, f"{name}_ms", done["ms"])
        found.add(way, f"{name}_cpu_us", 1e6 * used["programs"] / done["done"])
        if resumed:
            found.add(way, "resumed", done["resumed"])


def _websockets(way: Way, place: Place, found: Measured, ask: Ask) -> None:
    with _cpu(way, place, found) as used:
        done = ask(_asked(way, place, "websockets", seconds=SECONDS, every=EVERY_SECONDS), place.within)
    found.add(way, "echo_median_ms", done["median"])
    found.add(way, "echo_p99_ms", done["p99"])
    found.add(way, "echo_cpu_us", 1e6 * used["programs"] / done["done"])


@contextmanager
def _cpu(way: Way, place: Place, found: Measured) -> Iterator[dict[str, float]]:
    """Seconds of CPU that the way's programs and those of its logs use meanwhile, less what they use without load."""
    of = {"programs": ("idle", way.programs), "logs": ("idle_log", way.logs)}
    before = {name: cpu_of(programs, place.below) for name, (_, programs) in of.items()}
    used: dict[str, float] = {}
    began = time.monotonic()
    yield used
    seconds = time.monotonic() - began
    for name, (idle, programs) in of.items():
        without = seconds * found.median(way.name, f"{idle}_cpu_us") / 1e6
        used[name] = max(0.0, cpu_of(programs, place.below) - before[name] - without)


def cpu_of(programs: Sequence[str], below: int) -> float:
    """Seconds of CPU of all running processes with one of these in their command lines, and of their children."""
    table = processes()
    roots = [one.pid for pid in descendants(below, table) if (one := _of(pid, table)) and _runs(one, programs)]
    pids = {pid for root in roots for pid in (root, *descendants(root, table))}
    return sum(seconds_of(pid) for pid in pids)


def _of(pid: int, table: Sequence[Process]) -> Process | None:
    return next((one for one in table if one.pid == pid), None)


def _runs(process: Process, programs: Sequence[str]) -> bool:
    command = " ".join(process.command)
    return any(program in command for program in programs)


def seconds_of(pid: int) -> float:
    """User and system time of one process; 0 if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    words = text.rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICK


ROWS = {
    "rate": "requests/s, 16 connections",
    "cpu_us": "CPU a request, µs",
    "log_cpu_us": "CPU of its log lines a request, µs",
    "median_ms": "median at 30 % load, ms",
    "p99_ms": "99th percentile at 30 % load, ms",
}
OTHERS = {
    "idle_cpu_us": "CPU without requests, µs a second",
    "handshake_ms": "TLS handshake, ms",
    "handshake_cpu_us": "CPU of a handshake with one request, µs",
    "resumption_ms": "resumed handshake, ms",
    "resumption_cpu_us": "CPU of a resumed handshake with one request, µs",
    "resumed": "share of sessions that were resumed",
    "echo_median_ms": "echo on one of 200 WebSockets, median, ms",
    "echo_p99_ms": "the same, 99th percentile, ms",
    "echo_cpu_us": "CPU an echo, µs",
}
TITLES = {"nginx": "bare Nginx", "haproxy": "HAProxy alone", "edge": "our edge"}


def markdown(figures: Figures) -> str:
    """All figures, one column for each way."""
    rows = {
        f"{protocol}_{name}": f"{title}, {row}" for protocol, title in PROTOCOLS.items() for name, row in ROWS.items()
    }
    lines = [["", *TITLES.values()], ["---", *("---:" for _ in TITLES)]]
    for name, title in (rows | OTHERS).items():
        cells = [figures.figures.get(f"{way}_{name}") for way in TITLES]
        if any(cells):
            lines.append([title, *(f"{cell.value:.3g}" if cell else "" for cell in cells)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
