"""A bounded number of log lines of services and units, from the hosts that wrote them."""

import time
from collections.abc import Sequence
from pathlib import Path

from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import Report
from nexus.run.since import moment
from runbooks.daily import arguments

SOURCE = Path(__file__).parent / "host/logs.py"


def read(
    run: Run,
    services: Sequence[str] = (),
    unit: str = "",
    host: str = "",
    since: str = "1h",
    grep: str = "",
    lines: int = 200,
) -> Report:
    """The newest lines that contain `grep`: of services, or of a unit on one host or all."""
    if bool(services) == bool(unit):
        raise OperatorError("name one: --data service=auth-service, or --data unit=nginx [--data host=edge1]")
    context = {"since": int(moment(since, time.time())), "grep": grep, "lines": lines}
    if services:
        parts = run.hosts.ask_source(arguments.manager(run), SOURCE, list(services), {**context, "about": "service"})
    else:
        parts = {}
        for name, planned in arguments.units(run, unit, host).items():
            found = run.hosts.ask_source(name, SOURCE, [planned.name], {**context, "about": "unit"})
            parts[f"{planned.name} on {name}"] = found[planned.name]
    text = []
    for title, answer in parts.items():
        cut = ", older lines left out: --data lines=, grep=, since=" if answer["more"] else ""
        text += [f"== {title}: {len(answer['lines'])} lines{cut}", *answer["lines"]]
    return Report("\n".join(text))
