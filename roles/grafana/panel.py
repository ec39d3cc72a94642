"""What a role adds to the dashboards, in its file `panels.py`: `panels(env)` yields Panels.

Grafana's dashboards are made from them, and the page that shows the same plots without Grafana (deploys/report.py).
A query is therefore complete: it has fixed ranges such as [5m] and none of Grafana's variables.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["time series", "value", "table"]
Unit = Literal["number", "ratio", "bytes", "bytes per second", "seconds", "per second", "yes or no"]

# Dashboards, in their order: {name in Panel.dashboard: id in operations.yaml, or the title of one of ours}.
DASHBOARDS: dict[str, int | str] = {
    "overview": 1,
    "services": 2,
    "infrastructure": 3,
    "database": 4,
    "business": 5,
    "postgresql": "PostgreSQL cluster and backups",
    "redis": "Redis",
    "rabbitmq": "RabbitMQ",
    "mongodb": "MongoDB",
    "etcd": "etcd",
    "object-storage": "Object storage",
    "runs": "Runs and monitoring",
}


@dataclass(frozen=True)
class Query:
    """An expression of PromQL, and what a line in the plot is called: "{{host}}" stands for that label.

    In a table a query is a column named `legend`, and its result has one series for each row. A column may have a
    `unit` of its own.
    """

    expression: str
    legend: str = ""
    unit: Unit | None = None


@dataclass(frozen=True)
class Panel:
    """Queries that are shown together, in one unit.

    `about` says in a sentence what is shown and what is normal. `absent` says what it means if no query has data,
    for events that a healthy platform does not have; such a panel is not a fault. Rows of a table are the values of
    the label `row`. `stacked` areas add up to a total.
    """

    dashboard: str
    title: str
    unit: Unit
    about: str
    queries: tuple[Query, ...]
    kind: Kind = "time series"
    row: str = ""
    absent: str = ""
    stacked: bool = False


def plot(dashboard: str, title: str, unit: Unit, about: str, *queries: tuple[str, str], absent: str = "") -> Panel:
    """Return a panel of lines over time, from (expression, legend) pairs."""
    return Panel(dashboard, title, unit, about, tuple(Query(*query) for query in queries), absent=absent)


def value(dashboard: str, title: str, unit: Unit, about: str, *queries: tuple[str, str], absent: str = "") -> Panel:
    """Return a panel of single numbers."""
    return Panel(dashboard, title, unit, about, tuple(Query(*query) for query in queries), "value", absent=absent)


def table(dashboard: str, title: str, about: str, row: str, *columns: tuple[str, str, Unit], absent: str = "") -> Panel:
    """Return a table with a row for each value of the label `row`, from (expression, title, unit) of its columns."""
    made = tuple(Query(*column) for column in columns)
    return Panel(dashboard, title, "number", about, made, "table", row=row, absent=absent)


def highest(expression: str, label: str, count: int = 8) -> str:
    """Return the expression for those values of a label that have the highest result at the end of the plot."""
    return f"({expression}) and on ({label}) topk({count}, last_over_time(({expression})[10m:1m] @ end()))"
