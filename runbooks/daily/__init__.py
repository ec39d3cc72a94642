"""Daily work: scale, restart, logs, configuration, maintenance, and the daily checks."""

from collections.abc import Sequence
from functools import partial

from pyinfra.api.deploy import deploy
from pyinfra.context import host as here  # `host` is the folder of code for hosts

from nexus.run.run import current_run
from nexus.run.runbook import Plan, act, is_coordinator, report
from runbooks.daily import checks, configuration, log, maintenance, restart, scale


@deploy("Scale")
def scale_services(services: Sequence[str], replicas: str) -> None:
    """Keep another number of replicas for services. The deploy converges the services afterwards."""
    current_run().mark_changed()
    _act("Scale services", partial(scale.plan, services=services, replicas=replicas))


@deploy("Restart")
def restart_services_or_units(services: Sequence[str], unit: str, host: str, force: bool) -> None:
    """Replace the tasks of services, or restart a unit on one host after the other."""
    _act("Restart", partial(restart.plan, services=services, unit=unit, host=host, force=force))


@deploy("Maintenance")
def begin_or_end_maintenance(host: str, module: str, services: Sequence[str], back: bool, message: str = "") -> None:
    """Take a host out of service or a module off the edge, or back. The deploy converges swarm and edge afterwards."""
    current_run().mark_changed()
    about = partial(maintenance.plan, host=host, module=module, services=services, back=back, message=message)
    _act("Maintenance", about)


@deploy("Logs")
def logs(wanted: log.Wanted) -> None:
    """Print log lines."""
    report("Logs", partial(log.read, wanted=wanted))


@deploy("Configuration")
def service_config(services: Sequence[str], as_json: bool) -> None:
    """Print what services run with."""
    report("Configuration", partial(configuration.read, services=services, as_json=as_json))


@deploy("Daily checks")
def daily_checks(which: str = "", as_json: bool = False) -> None:
    """Print the daily checks. The run exits with a status other than 0 when one is missed."""
    report("Daily checks", partial(checks.read, when=which, as_json=as_json))


def _act(title: str, plan: Plan) -> None:
    """Refuse impossible requests before anything is changed, then act."""
    if is_coordinator(here.name):
        plan(current_run())
    act(title, plan)
