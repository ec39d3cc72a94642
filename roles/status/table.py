"""The lines as a table for a person, or as JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from roles.status.line import Line


def text(lines: Sequence[Line]) -> str:
    """An aligned table, an area at a time; what is missed is marked, and told with its remedy at the end."""
    rows = [("", "", "what", "is", "target")]
    area = ""
    for line in lines:
        mark = "MISSED" if line.missed else "ok"
        rows.append((line.area if line.area != area else "", mark, line.what, line.value, line.target))
        area = line.area
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    table = ["  ".join([*map(str.ljust, row, widths), row[4]]).rstrip() for row in rows]
    return "\n".join(table)


def data(environment: str, when: str, lines: Sequence[Line]) -> str:
    """{"environment", "at", "missed": how many, "lines": [{area, what, value, target, missed, advice}]}."""
    entries: list[dict[str, Any]] = [{**asdict(line), "missed": line.missed} for line in lines]
    found = {
        "environment": environment,
        "at": when,
        "missed": sum(line.missed for line in lines),
        "lines": entries,
    }
    return json.dumps(found, indent=1)
