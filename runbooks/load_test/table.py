"""The result of a load test as a table: a row for each phase."""

from collections.abc import Sequence

from runbooks.load_test.result import QUANTILES, Result, named

HEADS = ("phase", "planned/s", "requests", "answers/s", "median", "p95", "p99", "429", "failed", "statuses")


def as_text(results: Sequence[Result]) -> str:
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
