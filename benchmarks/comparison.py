"""The comparison: every way on the same hosts, in turn, round after round.

A block is one case at one size over one link. Its ways take turns in each round, and each round begins with another
way, so a disturbance of the machine affects all of them. After every run our library checks the hosts; it finds
nothing to do if the way reached the right state.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import PROJECT, WORK
from benchmarks import slice as workload
from benchmarks.distance import PORT, Distance
from benchmarks.hosts import Fleet, up
from benchmarks.meter import Cost, measure
from benchmarks.result import Cell, Series
from benchmarks.way import Way, ways
from nexus import catalogue

CASES = ("noop", "changed", "first", "bare")
TIMEOUT_SECONDS = 3600


@dataclass(frozen=True)
class Choice:
    """The part of the whole matrix to measure."""

    sizes: Sequence[int]
    cases: Sequence[str]
    links: Sequence[str]
    peers: Sequence[str]
    rounds: int
    slow_rounds: int
    slow_sizes: Sequence[int]

    def blocks(self) -> Iterator[tuple[str, str, int]]:
        """(case, link, size), small before large."""
        for size in sorted(self.sizes):
            for link in self.links:
                for case in self.cases:
                    yield case, link, size

    def block(self, case: str, size: int, all_ways: Mapping[str, Way]) -> Iterator[tuple[int, Way]]:
        """(round, way) in the order of their turns."""
        chosen = [all_ways[name] for name in self.peers if case in all_ways[name].cases]
        for number in range(self.rounds):
            start = number % len(chosen)
            for way in chosen[start:] + chosen[:start]:
                if not way.slow or (number < self.slow_rounds and size in self.slow_sizes):
                    yield number, way


class Comparison:
    """One series on one fleet."""

    def __init__(self, choice: Choice, series: Series) -> None:
        self.choice, self.series = choice, series
        self.level = workload.LEVELS[0]
        self.ways = ways()
        for name in choice.peers:
            if reason := self.ways[name].missing():
                raise RuntimeError(f"{name} cannot be measured: {reason}")

    def run(self) -> list[Cell]:
        """Measure the chosen cells that are missing; return the runs that did not do their work."""
        missing = {block: turns for block in self.choice.blocks() if (turns := self._missing(*block))}
        if not missing:
            return []
        fleet = up(max(self.choice.sizes), PORT)
        self._write_slice()
        bad = []
        for (case, link, size), turns in missing.items():
            some = fleet.take(size)
            self._settle(some, fresh=case == "noop")
            with Distance(link, some) as distance:
                for number, way in turns:
                    cell = self._cell(distance, case, way, number)
                    self.series.add(cell)
                    _tell(cell)
                    bad += [] if cell.good else [cell]
        return bad

    def _missing(self, case: str, link: str, size: int) -> list[tuple[int, Way]]:
        turns = self.choice.block(case, size, self.ways)
        return [(number, way) for number, way in turns if (case, link, size, way.name, number) not in self.series.cells]

    def _settle(self, fleet: Fleet, fresh: bool) -> None:
        """Converge the hosts with our library, from nothing for a no-op: each no-op then follows our converge."""
        if fresh:
            fleet.reset(packages=False, ours=True)
        with Distance("direct", fleet) as distance:
            cost, changes = self._run(self.ways["kit"], distance, "settle")
        if cost.status or changes is None:
            raise RuntimeError(f"the hosts could not be converged: see {_log('settle', self.ways['kit'])}")

    def _cell(self, distance: Distance, case: str, way: Way, number: int) -> Cell:
        fleet, ours = distance.fleet, way.name == "kit"
        if case == "changed":
            self.level = next(level for level in workload.LEVELS if level != self.level)
            self._write_slice()
        if case in ("first", "bare"):
            fleet.reset(packages=case == "bare", ours=ours)
        sessions, target = fleet.sessions(), fleet.cpu()
        distance.turns()
        cost, changes = self._run(way, distance, case)
        turns, used = distance.turns(), fleet.cpu()
        after = None
        sessions = fleet.sessions() - sessions - len(fleet.hosts)
        cell = Cell(
            case, distance.link, len(fleet.hosts), way.name, number, cost.wall, cost.cpu, cost.peak, cost.status,
            changes, used - target if used is not None and target is not None else None, sessions, turns,
            at=time.strftime("%Y-%m-%d %H:%M:%S"),
        )  # fmt: skip
        if way.name == "limit":
            return _limit(cell, _log(case, way))
        if case != "noop":
            with Distance("direct", fleet) as near:
                _, after = self._run(self.ways["kit"], near, "after")
            fleet.write(PORT if distance.link == "delay" else 0)
        return replace(cell, after=after)

    def _run(self, way: Way, distance: Distance, case: str) -> tuple[Cost, int | None]:
        environment = {
            **way.environment,
            **distance.environment,
            workload.LEVEL_VARIABLE: self.level,
            "LC_ALL": "C.UTF-8",
        }
        log = _log(case, way)
        cost = measure(way.command, way.cwd, environment, log, TIMEOUT_SECONDS)
        return cost, way.changes(log.read_text(errors="replace"))

    def _write_slice(self) -> None:
        """Write what the peers deploy, as data."""
        found = workload.services(catalogue.load().services.values(), self.level)
        running = workload.running(found)
        WORK.mkdir(parents=True, exist_ok=True)
        data = {
            "services": found,
            "running": running,
            "users": workload.users(found),
            "packages": workload.PACKAGES,
            "units": [*workload.PACKAGED_UNITS, *(f"nexus-bench@{name}" for name in running)],
            "directory": workload.DIRECTORY,
            "site": workload.SITE,
            "unit": workload.UNIT,
            "templates": str(PROJECT / "benchmarks" / "templates"),
        }
        (WORK / "slice.json").write_text(json.dumps(data, indent=1))


def _log(case: str, way: Way) -> Path:
    return WORK / "log" / f"{way.name}-{case}.log"


def _limit(cell: Cell, log: Path) -> Cell:
    """The cell of the limit, which measures itself: one probe of each host, repeated over the same connections."""
    if cell.status:
        return cell
    found = json.loads(log.read_text().splitlines()[-1])
    return replace(
        cell, wall=found["wall"], cpu=found["cpu"], target_cpu=None, sessions=cell.size, turns=None, changes=0
    )


def _tell(cell: Cell) -> None:
    trips = "" if cell.turns is None else f" {cell.turns} turns"
    note = "" if cell.good else f"  NOT GOOD: status {cell.status}, {cell.changes} changes, {cell.after} after"
    print(
        f"{cell.size:3} hosts  {cell.link:6} {cell.case:8} {cell.way:16} {cell.wall:8.2f} s  "
        f"cpu {cell.cpu:7.2f} s  {cell.peak / 1e6:5.0f} MB  {cell.sessions} sessions{trips}{note}",
        flush=True,
    )
