"""Absolute targets, and the figures measured against them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.result import about, describe


@dataclass(frozen=True)
class Target:
    """A figure and its bound; `floor`: the bound is a minimum, not a maximum."""

    name: str
    title: str
    bound: float
    unit: str = "s"
    floor: bool = False

    def met(self, value: float) -> bool:
        """Whether a value reaches it."""
        return value >= self.bound if self.floor else value <= self.bound


TARGETS = (
    Target("slice_ansible", "no-op of the slice, 8 hosts: times faster than Ansible", 70, "x", floor=True),
    Target("slice_mitogen", "no-op of the slice, 8 hosts: times faster than Mitogen", 20, "x", floor=True),
    Target("noop_factor", "no-op of full.py, 8-host lab, times stock pyinfra that runs `true` there", 1.1, "x"),
    Target("noop_sessions", "SSH sessions of a no-op, a host", 1, ""),
    Target("cpu_per_host", "controller CPU of each further host in a no-op", 0.03),
    Target("noop_delay", "no-op with 20 ms of delay: more than without", 0.5),
    Target("light", "40 light hosts, no-op", 3),
    Target("service", "one service's configuration changed, until the new task is healthy", 10),
    Target("service_own", "of that our own part", 2),
    Target("first", "first converge of the lab from bare hosts", 300),
    Target("first_factor", "the same, times the limit script", 1.3, "x"),
    Target("verify", "make verify: all checks of 8 hosts", 15),
    Target("plan_43", "plan of 43 services", 0.3),
    Target("plan_400", "plan of 400 services", 2),
    Target("peak", "peak memory of the controller at 8 hosts", 200, "MB"),
)
KNOWN = {target.name: target for target in TARGETS}


@dataclass(frozen=True)
class Figure:
    """One measured value; `note` says how it was measured, or explains it."""

    name: str
    value: float
    note: str = ""
    at: str = ""


class Figures:
    """Measured values by name, in a file, with those that have no target."""

    def __init__(self, path: Path) -> None:
        self.path = path
        kept: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        self.about: dict[str, Any] = kept.get("about") or about()
        self.figures = {name: Figure(**entry) for name, entry in kept.get("figures", {}).items()}

    def add(self, name: str, value: float, note: str = "") -> None:
        """Save one value at once, and print it."""
        self.figures[name] = Figure(name, round(value, 4), note, time.strftime("%Y-%m-%d %H:%M:%S"))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        entries = {key: asdict(figure) for key, figure in self.figures.items()}
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps({"about": self.about, "figures": entries}, indent=1) + "\n")
        os.replace(partial, self.path)
        print(f"{name:24} {value:10.3f}  {note}", flush=True)

    def markdown(self) -> str:
        """Targets with their figures, then the other figures."""
        rows = [[t.title, _bound(t), *self._measured(t)] for t in TARGETS]
        others = [
            [name, f"{figure.value:g}", figure.note] for name, figure in self.figures.items() if name not in KNOWN
        ]
        parts = [
            describe(self.about),
            _table(["case", "must reach", "measured", "", "how", "when"], rows),
            _table(["other figures", "", ""], others) if others else "",
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _measured(self, target: Target) -> list[str]:
        figure = self.figures.get(target.name)
        if figure is None:
            return ["not measured", "", "", ""]
        unit = "" if target.unit in ("x", "") else f" {target.unit}"
        verdict = "met" if target.met(figure.value) else "**missed**"
        return [f"{figure.value:.3g}{unit}", verdict, figure.note, figure.at[:16]]


def _bound(target: Target) -> str:
    unit = "" if target.unit in ("x", "") else f" {target.unit}"
    return f"{'at least' if target.floor else 'at most'} {target.bound:g}{unit}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
