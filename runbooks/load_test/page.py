"""The result of a load test as one self-contained HTML page, without scripts."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from nexus import project
from nexus.environment.templates import templates
from runbooks.load_test.result import QUANTILES, Result
from runbooks.load_test.table import HEADS, row
from runbooks.report.plot import colour, svg
from runbooks.report.question import Line

ANSWERS = {"good": "2xx", "limited": "429", "failed": "failed"}
MS = 1000


def page(found: Mapping[str, Any], results: Sequence[Result]) -> str:
    """The page; everything that hosts answered is escaped."""
    jinja = templates(project.root() / "templates", html=True)
    jinja.filters["moment"] = lambda seconds: time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    series = found["seconds"]
    answers = [_line(title, [each[name] for each in series]) for name, title in ANSWERS.items()]
    times = [_line(name, [each[name] / MS if name in each else None for each in series]) for name in QUANTILES]
    panels = [("Answers a second", "per second", answers), ("Times of answers with 2xx", "seconds", times)]
    start = found["ended"] - len(series)
    plots = [
        (title, Markup(svg(lines, unit, start, 1)), [(colour(number), line.name) for number, line in enumerate(lines)])
        for title, unit, lines in panels
        if any(value is not None for line in lines for value in line.values)
    ]
    return jinja.get_template("load_test/page.html.j2").render(
        found=found, heads=HEADS, rows=[row(result) for result in results], plots=plots
    )


def _line(name: str, values: Sequence[float | None]) -> Line:
    return Line(name, {}, values)
