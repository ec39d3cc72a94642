"""Log lines of services and units, bounded, from wherever they were written."""

from __future__ import annotations

import datetime as dt
import re
import time
from pathlib import Path

from roles.daily import naming
from roles.kit.error import OperatorError
from roles.kit.run import Run
from roles.runbook import Report

SOURCE = Path(__file__).with_name("lines.py")
LIBRARIES = ("roles.docker.client", "roles.service.rollout")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def read(run: Run) -> Report:
    """The lines that were asked for."""
    env = run.environment
    setting = env.setting
    if bool(setting.service) == bool(setting.unit):
        raise OperatorError("say of what: --data service=auth-service, or --data unit=nginx [--data host=edge1]")
    context = {"since": since(str(setting.since)), "grep": str(setting.grep), "lines": int(setting.lines)}
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


def since(word: str) -> int:
    """Seconds since the epoch of "15m" (ago) or of a time in ISO 8601, in UTC where it does not say."""
    if found := re.fullmatch(r"(\d+)([smhd])", word):
        return int(time.time()) - int(found[1]) * SECONDS[found[2]]
    try:
        when = dt.datetime.fromisoformat(word)
    except ValueError:
        raise OperatorError(
            f'since={word} is no time: write 30s, 15m, 2h or 1d for so long ago, or a time as "2026-11-22T19:00"'
        ) from None
    return int((when if when.tzinfo else when.replace(tzinfo=dt.UTC)).timestamp())
