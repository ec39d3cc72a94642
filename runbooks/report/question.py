"""What Prometheus on an ops host is asked, and its answer by panel."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.side_by_side import reached
from roles.grafana.board import Board
from roles.grafana.panel import Panel
from runbooks.report.host.metrics import ALERTS, NAMES, TARGETS, TIMES

SOURCE = Path(__file__).parent / "host/metrics.py"
POINTS = 180  # of each line; more cannot be seen in a plot
LEAST_STEP_SECONDS = 30
SERIES_MAX = 40  # of each query


@dataclass(frozen=True)
class Line:
    """One series: its name in the legend, its labels, and a value for each step."""

    name: str
    labels: Mapping[str, str]
    values: Sequence[float | None]

    @property
    def last(self) -> float | None:
        """The newest value, None if the series has ended."""
        return self.values[-1]

    @property
    def highest(self) -> float:
        """The largest value."""
        return max(value for value in self.values if value is not None)


@dataclass(frozen=True)
class Shown:
    """A panel with its data: the lines of each query, how many were left out, and what Prometheus refused.

    `known` says whether Prometheus has any metric of its queries at all.
    """

    panel: Panel
    lines: tuple[tuple[Line, ...], ...]
    more: int
    error: str
    known: bool = True

    @property
    def has_data(self) -> bool:
        """Whether any query has a series."""
        return any(self.lines)

    @property
    def quiet(self) -> bool:
        """Whether it has no data because nothing happened."""
        return bool(self.panel.absent) and self.known and not self.has_data and not self.error


@dataclass(frozen=True)
class Answer:
    """All that the page shows: the host that was asked, the times of the steps, data by board, alerts and targets."""

    host: str
    start: int
    end: int
    step: int
    boards: tuple[tuple[Board, tuple[Shown, ...]], ...]
    alerts: list[dict[str, Any]]
    targets: list[dict[str, Any]]

    @property
    def shown(self) -> list[Shown]:
        """All panels."""
        return [shown for _, panels in self.boards for shown in panels]

    @property
    def empty(self) -> list[Shown]:
        """Panels without data that should have some."""
        return [shown for shown in self.shown if not shown.has_data and not shown.quiet]


def ask(run: Run, found: Sequence[Board], hours: int) -> Answer:
    """The answer of the first ops host whose Prometheus answers; OperatorError with the reasons if none does."""
    step = max(LEAST_STEP_SECONDS, hours * 3600 // POINTS)
    context: dict[str, Any] = {
        "port": int(run.environment.setting.prometheus_port),
        "seconds": hours * 3600,
        "step": step,
        "series_max": SERIES_MAX,
        "queries": queries(found),
    }
    reasons = []
    for name in reached(run, "ops"):
        try:
            told = run.hosts.ask_source(name, SOURCE, [ALERTS, TARGETS, NAMES, *context["queries"]], context)
        except OperatorError as error:
            reasons.append(str(error))
        else:
            return answer(name, found, told)
    raise OperatorError("\n".join(reasons or ["no ops host is reached, and Prometheus runs there"]))


def queries(found: Sequence[Board]) -> dict[str, dict[str, Any]]:
    """{name: query} of all panels, as the host is asked."""
    return {
        _name(board, number, place): {"expression": query.expression, "instant": panel.kind != "time series"}
        for board in found
        for number, panel in enumerate(board.panels)
        for place, query in enumerate(panel.queries)
    }


def answer(host: str, found: Sequence[Board], told: Mapping[str, Any]) -> Answer:
    """The host's answer by board and panel."""
    boards = tuple(
        (board, tuple(_shown(board, number, panel, told) for number, panel in enumerate(board.panels)))
        for board in found
    )
    times = told[TIMES]
    alerts = [one for one in told[ALERTS]["alerts"] if one["labels"].get("severity") != "none"]
    targets = told[TARGETS]["activeTargets"]
    return Answer(host, times["start"], times["end"], times["step"], boards, alerts, targets)


def _shown(board: Board, number: int, panel: Panel, told: Mapping[str, Any]) -> Shown:
    answers = [told[_name(board, number, place)] for place in range(len(panel.queries))]
    lines = tuple(
        tuple(Line(named(query.legend, labels), labels, values) for labels, values in one.get("series", ()))
        for query, one in zip(panel.queries, answers, strict=True)
    )
    errors = [str(one["error"]) for one in answers if "error" in one]
    more = sum(one.get("more", 0) for one in answers)
    return Shown(panel, lines, more, "; ".join(errors), _known(panel, set(told[NAMES])))


def _known(panel: Panel, names: set[str]) -> bool:
    """Whether one of these names is in a query. That of alerts is there only while there is an alert."""
    words = {word for query in panel.queries for word in re.findall(r"[A-Za-z_:][\w:]*", query.expression)}
    return bool(words & {*names, "ALERTS"})


def named(legend: str, labels: Mapping[str, str]) -> str:
    """The legend with its labels; without a legend the labels alone."""
    if legend:
        return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), legend).strip()
    return " ".join(value for label, value in sorted(labels.items()) if label != "__name__")


def _name(board: Board, number: int, place: int) -> str:
    return f"{board.name} {number} {place}"
