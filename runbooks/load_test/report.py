"""The result of a load test: as a table, as JSON and as a page with plots."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nexus import project
from nexus.environment.environment import Environment
from nexus.workstation import checkout, write_whole
from runbooks.load_test.load import Load
from runbooks.load_test.result import QUANTILES, Result, named

HEADS = ("phase", "planned/s", "requests", "answers/s", "median", "p95", "p99", "429", "failed", "statuses")


def missed(env: Environment, results: Sequence[Result]) -> list[str]:
    """A line for each objective that a phase missed. The first phase warms up: its times are not judged."""
    slo = env.catalogue.operations.slo
    return [line for number, result in enumerate(results) for line in result.missed(slo, warm=number > 0)]


def table(results: Sequence[Result]) -> str:
    """A row for each phase."""
    rows = [HEADS, *map(row, results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def row(result: Result) -> tuple[str, ...]:
    """The figures of one phase, as the table names them."""
    times = [f"{result.times[name]:g} ms" if result.times else "none" for name in QUANTILES]
    statuses = ", ".join(f"{count} x {named(status)}" for status, count in result.statuses.items())
    rates = (str(result.phase.per_second), str(len(result.requests)), f"{result.per_second:.1f}")
    failed = f"{result.failed_percent:.3g} %"
    return (result.phase.name, *rates, *times, str(result.limited), failed, statuses)


def write(load: Load, results: Sequence[Result]) -> Path:
    """Write both files; returns the path of the page, from the project's root."""
    from runbooks.load_test.page import page  # its library takes a second to import

    path = project.root() / "reports" / f"load-test-{load.env.name}.html"
    found = document(load, results)
    write_whole(path.with_suffix(".json"), json.dumps(found, indent=1) + "\n")
    write_whole(path, page(found, results))
    return path.relative_to(project.root())


def document(load: Load, results: Sequence[Result]) -> dict[str, Any]:
    """Everything as data: figures, objectives, and the requests and times of each second."""
    slo = load.env.catalogue.operations.slo
    return {
        "environment": load.env.name,
        "ended": round(time.time()),
        **checkout(),
        "edges": [edge.name for edge in load.edges],
        "url": f"https://{load.name}{load.path}",
        "objectives": {**slo.response_ms.api.model_dump(), "failed_percent": slo.error_rate_percent},
        "phases": [result.document() for result in results],
        "missed": missed(load.env, results),
        "seconds": list(seconds(results)),
    }


def seconds(results: Sequence[Result]) -> Iterator[dict[str, Any]]:
    """Counts and times of the requests that were due in each second of the test."""
    for result in results:
        for each in result.by_second():
            counts = {"good": len(each.good), "limited": each.limited, "failed": each.failed}
            yield {"phase": each.phase.name, **counts, **each.times}
