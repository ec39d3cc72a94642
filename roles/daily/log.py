"""Log lines of services and units, bounded, from wherever they were written."""

from __future__ import annotations

import time
from pathlib import Path

from roles.daily import naming
from roles.kit.error import OperatorError
from roles.kit.run import Run
from roles.runbook import Report
from roles.runbook.since import moment

SOURCE = Path(__file__).with_name("lines.py")
LIBRARIES = ("roles.docker.client", "roles.service.rollout")
USUAL = "1h"


def read(run: Run) -> Report:
    """The lines that were asked for."""
    env = run.environment
    setting = env.setting
    if bool(setting.service) == bool(setting.unit):
        raise OperatorError("say of what: --data service=auth-service, or --data unit=nginx [--data host=edge1]")
    begin = int(moment(str(setting.since) or USUAL, time.time()))
    context = {"since": begin, "grep": str(setting.grep), "lines": int(setting.lines)}
    parts = []
    if setting.service:
        names = naming.services(env, str(setting.service))
        found = run.ask_source(naming.manager(run), SOURCE, names, {**context, "about": "service"}, LIBRARIES)
        parts = [(name, found[name]) for name in names]
    else:
        for host, unit in naming.units(run, str(setting.unit), str(setting.host)).items():
            found = run.ask_source(host, SOURCE, [unit.name], {**context, "about": "unit"}, LIBRARIES)
            parts.append((f"{unit.name} on {host}", found[unit.name]))
    text = []
    for title, answer in parts:
        cut = ", older ones left out: --data lines=, grep=, since=" if answer["more"] else ""
        text += [f"== {title}: {len(answer['lines'])} lines{cut}", *answer["lines"]]
    return Report("\n".join(text))
