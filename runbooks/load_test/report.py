"""The result of a load test: as data, and in two files."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nexus import project
from nexus.environment.environment import Environment
from nexus.workstation import checkout, write_whole
from runbooks.load_test.load import Load
from runbooks.load_test.result import Result


def missed(env: Environment, results: Sequence[Result]) -> list[str]:
    """A line for each objective that a phase missed. The first phase warms up: its times are not judged."""
    slo = env.catalogue.operations.slo
    return [line for number, result in enumerate(results) for line in result.missed(slo, warm=number > 0)]


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
