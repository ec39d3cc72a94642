"""The daily checks that operations.yaml lists, each asked of the hosts.

Roles bring the checks that they can answer: see `daily.py` and `status.py` of each. A check that no part of the
platform can answer, or that is a task for people, says so and never counts as passed.
"""

import time
from collections.abc import Iterable, Mapping, Set
from functools import partial
from types import ModuleType
from typing import Any

from nexus.environment.environment import Host
from nexus.error import OperatorError
from nexus.run.checks import Check, Found
from nexus.run.role import Roles
from nexus.run.role_questions import DAILY, STATUS, ask, ask_all, ask_parts, question
from nexus.run.row import Row
from nexus.run.run import Run
from nexus.run.runbook import Report
from runbooks.daily import own_checks
from runbooks.status import table

TIMES = ("morning", "evening", "security")
ANSWER_SECONDS = 120  # for one part of a host: reading the journal of a day takes long


def read(run: Run, when: str = "", as_json: bool = False) -> Report:
    """The checks of one time of day, or of all."""
    env = run.environment
    listed = env.catalogue.operations.daily_checks
    names = list(dict.fromkeys(name for time_of_day in ([when] if when else TIMES) for name in listed.of(time_of_day)))
    known = united(run.all_roles)
    rows = judge(known, gather(run, known, names), names)
    if when in ("", "security"):
        rows += own_checks.secrets(env)
    return table.report(env, rows, as_json)


def united(roles: Roles) -> dict[str, list[Check]]:
    """All checks that have an answer, by name; OperatorError if two roles claim the same check exclusively."""
    found: dict[str, list[Check]] = {name: [check] for name, check in own_checks.CHECKS.items()}
    first, alone = dict.fromkeys(found, "this runbook"), set(found)
    for role in roles:
        checks, shared = (_brought(roles, role, kind) for kind in ("CHECKS", "SHARED"))
        if twice := (checks.keys() & first) | (shared.keys() & alone):
            names = ", ".join(f"{name} ({first[name]})" for name in sorted(twice))
            place = "See its daily.py and status.py"
            raise OperatorError(f"role {role} answers daily checks that are answered already: {names}. {place}")
        alone |= checks.keys()
        for name, check in {**checks, **shared}.items():
            found.setdefault(name, []).append(check)
            first.setdefault(name, f"role {role}")
    return found


def _brought(roles: Roles, role: str, kind: str) -> dict[str, Check]:
    """The checks of a role's `daily.py`, and those that the rows of its `status.py` answer."""
    named: dict[str, Check] = {}
    if status := roles.bringing(STATUS).get(role):
        check = Check(partial(_as_status, status), status=(role,))
        named = dict.fromkeys(getattr(status, kind, ()), check)
    return named | getattr(roles.bringing(DAILY).get(role), kind, {})


def _as_status(status: ModuleType, found: Found) -> Iterable[Row]:
    rows: Iterable[Row] = status.rows(found.env, found.answers, found.now)
    return rows


def judge(known: Mapping[str, list[Check]], found: Found, names: Iterable[str]) -> list[Row]:
    """The rows of each check, under its name."""
    rows = []
    for name in names:
        for row in (row for check in known.get(name, [own_checks.UNKNOWN]) for row in check.rows(found)):
            what = row.what if row.area == name or not row.area else f"{row.area} {row.what}"
            rows.append(Row(name, what, row.value, row.target, row.advice))
    return rows


def gather(run: Run, known: Mapping[str, list[Check]], names: Iterable[str]) -> Found:
    """The answers of all hosts, which are asked in parallel, and only for what these checks read."""
    wanted = [check for name in names for check in known.get(name, [])]
    roles = {role for check in wanted for role in check.status}
    parts = {part for check in wanted for part in check.reads}
    answers = ask_all(run, partial(ask, only=roles)) if roles else {}
    seen = ask_all(run, partial(_look, parts=parts)) if parts else {}
    seen = {name: {**answer, **_observe(run, run.environment.host(name), parts)} for name, answer in seen.items()}
    kept = run.hosts.kept() if any(check.kept for check in wanted) else {}
    return Found(run.environment, answers, seen, kept, time.time())


def _look(run: Run, name: str, parts: Set[str]) -> dict[str, Any]:
    """Ask a host for parts that only the daily checks need, in one request."""
    env, host = run.environment, run.environment.host(name)
    offered = question(run.all_roles, env, host, DAILY) | own_checks.question(env, host)
    return ask_parts(run, name, {part: about for part, about in offered.items() if part in parts}, ANSWER_SECONDS)


def _observe(run: Run, host: Host, parts: Set[str]) -> dict[str, Any]:
    """What roles know of a host without asking it."""
    modules = run.all_roles.bringing(DAILY).values()
    known = {part: look for module in modules for part, look in getattr(module, "OBSERVED", {}).items()}
    return {part: look(run, host) for part, look in known.items() if part in parts}
