"""Measured figures, saved after each one, so that an interrupted series continues where it stopped."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")
PACKAGES = ("pyinfra", "paramiko", "ansible-core", "mitogen")


@dataclass(frozen=True)
class Cell:
    """One run of one way, with the figures of all its hosts together. Seconds and bytes."""

    case: str
    link: str
    size: int
    way: str
    round: int
    wall: float
    cpu: float
    peak: int
    status: int
    changes: int | None
    target_cpu: float | None = None
    sessions: int | None = None  # commands and transfers that sshd started
    turns: int | None = None  # round trips on the wire, those of the login included
    after: int | None = None  # changes that our library finds right afterwards
    at: str = ""

    @property
    def key(self) -> tuple[str, str, int, str, int]:
        """The key of this run in its series."""
        return self.case, self.link, self.size, self.way, self.round

    @property
    def good(self) -> bool:
        """Whether the run did its work."""
        expected = self.changes == 0 if self.case == "noop" else bool(self.changes)
        return self.status == 0 and expected and not self.after


class Series:
    """The runs of one series, in a file."""

    def __init__(self, path: Path, fresh: bool = False) -> None:
        self.path = path
        self.cells: dict[tuple[str, str, int, str, int], Cell] = {}
        self.about: dict[str, Any] = {}
        if path.is_file() and not fresh:
            kept = json.loads(path.read_text())
            self.about = kept["about"]
            self.cells = {cell.key: cell for cell in (Cell(**entry) for entry in kept["cells"])}
        if not self.about:
            self.about = about()

    def add(self, cell: Cell) -> None:
        """Save one figure at once."""
        self.cells[cell.key] = cell
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"about": self.about, "cells": [asdict(c) for c in self.cells.values()]}, indent=1)
        partial = self.path.with_suffix(".partial")
        partial.write_text(text + "\n")
        os.replace(partial, self.path)

    def runs(self, case: str, link: str, size: int, way: str) -> list[Cell]:
        """All good rounds of one figure."""
        wanted = (case, link, size, way)
        return [cell for cell in self.cells.values() if cell.key[:4] == wanted and cell.good]

    def known(self, name: str) -> list[Any]:
        """Values of a property that occur, in the order in which they were measured."""
        return list(dict.fromkeys(getattr(cell, name) for cell in self.cells.values()))


def median(cells: Iterable[Cell], name: str) -> float | None:
    """Median of a figure over the rounds that have it; None if none has."""
    values = [value for cell in cells if (value := getattr(cell, name)) is not None]
    return statistics.median(values) if values else None


def about() -> dict[str, Any]:
    """The machine and the versions that figures belong to."""
    return {
        "began": time.strftime("%Y-%m-%d %H:%M"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def describe(known: dict[str, Any], extra: Sequence[str] = ()) -> str:
    """The machine in one sentence."""
    versions = ", ".join(f"{name} {number}" for name, number in known["versions"].items() if number)
    return (
        f"Begun {known['began']}; {known['cores']} cores of {known['processor']}, {known['memory_gib']} GiB, "
        f"Linux {known['kernel']}, Python {known['python']}; {', '.join([versions, *extra])}."
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
