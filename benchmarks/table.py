"""The comparison as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.distance import DELAY_MS
from benchmarks.result import Series, describe, median
from benchmarks.way import ways

CASES = {
    "noop": "Nothing to change",
    "changed": "One service's file changed, its unit restarted",
    "first": "First converge, packages there already",
    "bare": "First converge, packages installed too",
}
LINKS = {"direct": "", "delay": f", {DELAY_MS:.0f} ms of delay on each round trip"}


def markdown(series: Series) -> str:
    """All results: for each case a table of times, and one of other costs."""
    parts = [describe(series.about)]
    for link, how in LINKS.items():
        for case, title in CASES.items():
            if any(cell.case == case and cell.link == link for cell in series.cells.values()):
                parts += [f"### {title}{how}", _times(series, case, link), _costs(series, case, link)]
    return "\n\n".join(parts) + "\n"


def _times(series: Series, case: str, link: str) -> str:
    sizes = sorted(series.known("size"))
    rows = []
    for name, way in ways().items():
        row = [_time(series, case, link, size, name) for size in sizes]
        if any(row):
            rows.append([way.title, *row])
    header = ["wall seconds (times ours)", *(f"{size} host{'s' * (size > 1)}" for size in sizes)]
    return _table(header, rows)


def _time(series: Series, case: str, link: str, size: int, way: str) -> str:
    wall = median(series.runs(case, link, size, way), "wall")
    ours = median(series.runs(case, link, size, "kit"), "wall")
    if wall is None:
        return ""
    text = f"{wall:.2f}" if wall < 10 else f"{wall:.1f}"
    return text if way == "kit" or not ours else f"{text} ({_factor(wall / ours)})"


def _factor(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _costs(series: Series, case: str, link: str) -> str:
    """The costs of a run other than time, at the largest size at which each way was measured."""
    rows = []
    for name, way in ways().items():
        sizes = [size for size in series.known("size") if series.runs(case, link, size, name)]
        if not sizes:
            continue
        size = max(sizes)
        cells = series.runs(case, link, size, name)
        target, peak = median(cells, "target_cpu"), median(cells, "peak")
        rows.append(
            [
                way.title,
                str(size),
                f"{median(cells, 'cpu') or 0:.2f}",
                "" if target is None else f"{target / size:.2f}",
                f"{(peak or 0) / 1e6:.0f}" if name != "limit" else "",
                _each(median(cells, "sessions"), size),
                _each(median(cells, "turns"), size),
            ]
        )
    header = [
        "cost of a run",
        "hosts",
        "controller CPU, s",
        "CPU a host, s",
        "peak memory, MB",
        "SSH sessions a host",
        "turns on the wire a host",
    ]
    return _table(header, rows)


def _each(value: float | None, size: int) -> str:
    return "" if value is None else f"{value / size:.0f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *rows])
