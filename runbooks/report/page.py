"""The report as one self-contained HTML page, without scripts."""

import time
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from nexus import project
from nexus.environment.templates import templates
from runbooks.report.plot import colour, svg
from runbooks.report.question import Answer, Line, Shown
from runbooks.report.unit import readable

LEGEND = 12  # entries; plots have more lines only if many are equal


def page(environment: str, answer: Answer) -> str:
    """The page; everything that hosts answered is escaped."""
    jinja = templates(project.root() / "templates", html=True)
    jinja.filters["moment"] = lambda seconds: time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
    jinja.filters["readable"] = readable
    jinja.globals |= {"plot": lambda shown: Markup(_plot(answer, shown)), "legend": legend, "rows": rows}
    jinja.globals |= {"lines_of": _lines, "zip": zip}
    return jinja.get_template("report/page.html.j2").render(
        name=environment,
        answer=answer,
        hours=round((answer.end - answer.start) / 3600),
        firing=[alert for alert in answer.alerts if alert["state"] == "firing"],
        pending=[alert for alert in answer.alerts if alert["state"] == "pending"],
        jobs=jobs(answer.targets),
        down=[target for target in answer.targets if target["health"] != "up"],
    )


def _plot(answer: Answer, shown: Shown) -> str:
    return svg(_lines(shown), shown.panel.unit, answer.start, answer.step, shown.panel.stacked)


def legend(shown: Shown) -> tuple[list[tuple[int, Line]], int]:
    """((colour, line) of the first lines, how many others there are)."""
    lines = _lines(shown)
    return [(colour(number), line) for number, line in enumerate(lines[:LEGEND])], max(0, len(lines) - LEGEND)


def _lines(shown: Shown) -> Sequence[Line]:
    return [line for lines in shown.lines for line in lines]


def rows(shown: Shown) -> dict[str, list[float | None]]:
    """{row: a value for each column} of a table."""
    found: dict[str, list[float | None]] = {}
    for column, lines in enumerate(shown.lines):
        for line in lines:
            row = line.labels.get(shown.panel.row, "")
            found.setdefault(row, [None] * len(shown.lines))[column] = line.last
    return dict(sorted(found.items()))


def jobs(targets: Sequence[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """{job: (targets that answer, all)}."""
    found: dict[str, tuple[int, int]] = {}
    for target in targets:
        up, known = found.get(target["labels"]["job"], (0, 0))
        found[target["labels"]["job"]] = (up + (target["health"] == "up"), known + 1)
    return dict(sorted(found.items()))
