"""Status: the present state of the environment against its targets. Asks every host that answers, changes nothing.

Roles decide what to ask and how to judge it: see `status.py` of each. State in memory that no file shows (proxies, the
kernel's rules, the swarm's nodes, daemons) is compared as a run compares it: the status reports exactly what a run
would report and undo.
"""

import time
from collections.abc import Iterator
from functools import partial

from pyinfra.api.deploy import deploy
from pyinfra.api.exceptions import PyinfraError

from nexus.environment.environment import Environment
from nexus.run.role import Roles
from nexus.run.role_questions import STATUS, ask, ask_all
from nexus.run.row import Answers, Row
from nexus.run.run import Run
from nexus.run.runbook import Report, report
from nexus.run.side_by_side import reached, side_by_side
from runbooks.kubernetes import status as kubernetes
from runbooks.status import table

REMEDY = "a run undoes it: deploys/full.py"


@deploy("Status")
def status(as_json: bool = False) -> None:
    """Print the status. The run exits with a status other than 0 when a target is missed."""
    report("Status", partial(read, as_json=as_json))


def read(run: Run, as_json: bool = False) -> Report:
    """The report, from hosts that are asked in parallel."""
    return table.report(run.environment, rows(run), as_json)


def rows(run: Run) -> list[Row]:
    """All rows, from hosts that are asked in parallel."""
    env = run.environment
    judged = judge(run.all_roles, env, ask_all(run, ask), time.time())
    return [*judged, *kubernetes.rows(env), *_states(run)]


def judge(roles: Roles, env: Environment, answers: Answers, now: float) -> list[Row]:
    """The rows of all roles, in the order in which things depend on each other."""
    modules = [module for module in roles.bringing(STATUS).values() if hasattr(module, "rows")]
    modules.sort(key=lambda module: getattr(module, "ORDER", 0))
    return [row for module in modules for row in module.rows(env, answers, now)]


def _states(run: Run) -> list[Row]:
    """A missed row for each state that is not as planned; if nothing differs, one row that says so."""

    def compared(name: str) -> list[Row]:
        try:
            return list(_compared(run, name))
        except PyinfraError as error:
            return [Row("in memory", name, "unknown", "as planned", str(error))]

    missed = [row for found in side_by_side(compared, reached(run)).values() for row in found]
    return missed or [Row("in memory", "all hosts", "as planned", "as planned")]


def _compared(run: Run, name: str) -> Iterator[Row]:
    for role in run.hosts.roles(name):
        if not run.all_roles[role].shows_state or run.hosts.untold(role):
            continue
        states = {item for state in run.hosts.plan(name, role).states for item in state.items}
        found = run.hosts.compare(name, role)
        for change in found.changes:
            if change.what in states or change.what.startswith("state of "):
                yield Row("in memory", name, str(change), "as planned", REMEDY)
        for change in found.told:
            yield Row("in memory", name, str(change), "as planned", f"only a person can undo it: {change.how}")
