"""Results and measurements of the scenarios, kept across runs and shown on one page: reports/scenarios.html.

The page shows a scenario's last runs next to each other, with their outcome and figures. Below them it shows, second
by second, what was acknowledged around the damage of the newest run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from control import PROJECT
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nexus.workstation import checkout

RUNS = 5  # kept for each scenario
STEP_SECONDS = 0.5
HARMFUL = ("failed", "lost")  # series of events that must not happen
TICKS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 3600)  # seconds between two ticks of an axis
KEPT, PAGE = "scenarios.json", "scenarios.html"
PREFIX = "tests/scenarios/"


def timeline(title: str, series: Mapping[str, Sequence[float]], marks: Mapping[str, float]) -> dict[str, Any]:
    """Events in each half second; `series` and `marks` are by name, in seconds since 1970.

    The gap is the longest time without a success in any series: (from, to) in seconds after the first.
    """
    moments = {name: sorted(times) for name, times in series.items()}
    everything = sorted(when for times in moments.values() for when in times)
    good = sorted(when for name, times in moments.items() if name not in HARMFUL for when in times)
    first, last = everything[0], everything[-1]
    count = int((last - first) / STEP_SECONDS) + 1
    counts = {name: [0] * count for name in moments}
    for name, times in moments.items():
        for when in times:
            counts[name][int((when - first) / STEP_SECONDS)] += 1
    gap = max(pairwise(good), key=lambda pair: pair[1] - pair[0], default=(first, first))
    return {
        "title": title,
        "step": STEP_SECONDS,
        "series": counts,
        "marks": {name: round(when - first, 2) for name, when in marks.items()},
        "gap": [round(when - first, 2) for when in gap],
        "length": round(last - first, 2),
    }


class Figure:
    """Measurements of this session and of the running scenario."""

    def __init__(self) -> None:
        self.all: dict[str, str] = {}
        self.begin()

    def begin(self) -> dict[str, Any]:
        """Start to collect for another scenario: {"figures": ..., "timelines": ...}."""
        self.current: dict[str, Any] = {"figures": {}, "timelines": []}
        return self.current

    def __call__(self, name: str, value: object) -> None:
        """Keep one measured value under its name; a float is in seconds."""
        self.all[name] = f"{value:.1f} s" if isinstance(value, float) else str(value)
        self.current["figures"][name] = self.all[name]

    def timeline(self, title: str, series: Mapping[str, Sequence[float]], **marks: float) -> None:
        """Show when writes or requests were acknowledged, {name: moments}, and mark what was done meanwhile."""
        if any(series.values()):
            self.current["timelines"].append(timeline(title, series, marks))


class Report:
    """Hooks of pytest that collect results, and the page that shows them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.now = {"at": time.strftime("%Y-%m-%d %H:%M"), "commit": checkout()["commit"][:7]}
        self.figure = Figure()
        self.seen: dict[str, dict[str, Any]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if item.nodeid.startswith(PREFIX):
            about = {"module": first_line(item.getparent(pytest.Module)), "about": first_line(item)}
            run = {**self.now, "outcome": "", "seconds": 0.0, **self.figure.begin()}
            self.seen[item.nodeid] = {**about, "run": run}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.nodeid not in self.seen:
            return
        run = self.seen[report.nodeid]["run"]
        run["seconds"] = round(run["seconds"] + report.duration, 1)
        if report.when == "call" or report.outcome != "passed":
            run["outcome"] = report.outcome if run["outcome"] != "failed" else "failed"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the measurements, keep them, and write the page."""
        if self.figure.all:
            terminalreporter.section("measured")
            for name, value in self.figure.all.items():
                terminalreporter.line(f"{name:64} {value:>12}")
        if any(found["run"]["outcome"] in ("passed", "failed") for found in self.seen.values()):
            self.keep()
            terminalreporter.line(f"all scenarios and their last runs: {self.directory / PAGE}")

    def keep(self) -> None:
        """Put this session's runs before the runs that are already kept."""
        self.directory.mkdir(exist_ok=True)
        path = self.directory / KEPT
        kept: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        kept = {name: found for name, found in kept.items() if isinstance(found, dict) and "runs" in found}
        for name, found in self.seen.items():
            run = found.pop("run")
            if run["outcome"] in ("passed", "failed"):
                before = kept.get(name, {"runs": []})["runs"]
                kept[name] = {**found, "runs": [run, *before][:RUNS]}
        path.write_text(json.dumps(kept, indent=1) + "\n")
        (self.directory / PAGE).write_text(page(kept))


def tick(length: float) -> float:
    """Seconds between two marks of a time line."""
    return next(one for one in TICKS if one * 8 >= length)


def page(kept: Mapping[str, Any]) -> str:
    """The page of all kept scenarios, grouped by module."""
    places = FileSystemLoader([Path(__file__).parent, PROJECT / "templates"])
    jinja = Environment(loader=places, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    jinja.filters |= {"named": named, "tick": tick}
    modules: dict[str, dict[str, Any]] = {}
    for name, found in sorted(kept.items()):
        modules.setdefault(found["module"], {})[name] = found
    return jinja.get_template("report.html.j2").render(modules=modules, kept=kept, harmful=HARMFUL)


def named(nodeid: str) -> str:
    """The name of a test as words: "a bad release goes back by itself, never ready"."""
    name = nodeid.rpartition("::")[2].removeprefix("test_")
    words, _, variant = name.rstrip("]").partition("[")
    return words.replace("_", " ") + (f", {variant}" if variant else "")


def first_line(node: Any) -> str:
    """The first line of the docstring of a test or a module."""
    return str(getattr(node.obj, "__doc__", "") or "").strip().partition("\n")[0]
