"""Daily work: scale, restart, logs, maintenance, and the checks of the day."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from roles.daily import checks, log, maintenance, restart, scale
from roles.kit.run import Run
from roles.runbook import Plan, act, report
from roles.runbook.act import speaks


@deploy("Scale")
def scale_services() -> None:
    """Keep another number of replicas for services; converging the services follows."""
    Run.current.unsettle()
    _act("Scale services", scale.plan)


@deploy("Restart")
def restart_services_or_units() -> None:
    """Replace the tasks of services, or restart a unit on one host after the other."""
    _act("Restart", restart.plan)


@deploy("Maintenance")
def begin_or_end_maintenance() -> None:
    """Take a host out of service or a module off the edge, or back; converging swarm and edge follows."""
    Run.current.unsettle()
    _act("Maintenance", maintenance.plan)


@deploy("Logs")
def logs() -> None:
    """Print log lines of a service or a unit."""
    report("Logs", log.read)


@deploy("Daily checks")
def daily_checks() -> None:
    """Print the checks of the day; the run ends with a status other than 0 when one is missed."""
    report("Daily checks", checks.read)


def _act(title: str, plan: Plan) -> None:
    """Refuse what cannot be before anything is changed, then act."""
    if speaks(host.name):
        plan(Run.current)
    act(title, plan)
