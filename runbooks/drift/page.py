"""The drift report as one self-contained HTML page."""

import time
from typing import Any

from nexus import project
from nexus.environment.templates import templates

UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"))


def page(report: dict[str, Any]) -> str:
    """The page; everything that hosts answered is escaped."""
    jinja = templates(project.root() / "templates", html=True)
    jinja.filters["moment"] = lambda seconds: time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
    jinja.filters["ago"] = lambda seconds: ago(report["checked"] - seconds)
    lines = [*report["drift"], *report["unhealthy"]]
    by_host = {
        name: [line for line in lines if line["host"] == name]
        for name in sorted(report["hosts"], key=lambda name: (not _concerns(report, name), name))
    }
    return jinja.get_template("drift/page.html.j2").render(report=report, by_host=by_host)


def _concerns(report: dict[str, Any], name: str) -> bool:
    lines = [*report["drift"], *report["unhealthy"]]
    return name in report["unknown"] or any(line["host"] == name for line in lines)


def ago(seconds: float) -> str:
    """How long ago, in the largest unit that fits: "3 hours ago"."""
    for size, name in UNITS:
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {name}{'s' * (count != 1)} ago"
    return "just now"
