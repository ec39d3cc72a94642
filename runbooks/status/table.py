"""The rows as a table for people, or as JSON for programs."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict

from nexus.environment.environment import Environment
from nexus.run.row import Row
from nexus.run.runbook import Report


def text(lines: Sequence[Row]) -> str:
    """An aligned table, one area after the other. Missed targets are marked."""
    rows = [("", "", "what", "is", "target")]
    area = ""
    for line in lines:
        mark = "MISSED" if line.missed else "ok"
        rows.append((line.area if line.area != area else "", mark, line.what, line.value, line.target))
        area = line.area
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    table = ["  ".join([*map(str.ljust, row, widths), row[4]]).rstrip() for row in rows]
    return "\n".join(table)


def data(environment: str, when: str, lines: Sequence[Row]) -> str:
    """{"environment", "at", "missed": number, "lines": [{area, what, value, target, missed, advice}]}."""
    entries = [{**asdict(line), "missed": line.missed} for line in lines]
    found = {"environment": environment, "at": when, "missed": sum(line.missed for line in lines), "lines": entries}
    return json.dumps(found, indent=1)


def report(env: Environment, lines: Sequence[Row], as_json: bool) -> Report:
    """The rows in either form; each missed target is repeated at the end with its remedy."""
    missed = tuple(f"{line.area} {line.what}: {line.advice}" for line in lines if line.missed)
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return Report(data(env.name, now, lines) if as_json else text(lines), missed)
