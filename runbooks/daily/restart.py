"""Restart services or a unit, never all tasks or hosts at once."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import Act, carry_out
from runbooks.daily import arguments

SERVICES = Path(__file__).parent / "host/restart_services.py"
UNIT = Path(__file__).parent / "host/restart_unit.py"


def plan(run: Run, services: Sequence[str] = (), unit: str = "", host: str = "", force: bool = False) -> Sequence[Act]:
    """One act for all services, in start order; or one act for each host of a unit, one host after the other."""
    if bool(services) == bool(unit):
        raise OperatorError("name one: --data service=auth-service, or --data unit=redis-server [--data host=data2]")
    return _services(run, services) if services else _units(run, unit, host, force)


def _services(run: Run, names: Sequence[str]) -> Sequence[Act]:
    env = run.environment
    phases = sorted({env.catalogue.service(name).startup_phase for name in names})
    groups = [[name for name in names if env.catalogue.service(name).startup_phase == phase] for phase in phases]
    context = {"groups": groups, "seconds": env.setting.service_phase_timeout_seconds}
    do = partial(carry_out, run, arguments.manager(run), "restart services", SERVICES, "restart", context)
    return [Act(f"Replace the tasks of {', '.join(names)}, new tasks first", do)]


def _units(run: Run, name: str, only: str, force: bool) -> Sequence[Act]:
    found = arguments.units(run, name, only)
    if name.removesuffix(".service") == "patroni" and not force:
        raise OperatorError(
            "unit=patroni stops PostgreSQL on its host. On the primary all writes wait until another host takes over. "
            "Move the primary first with deploys/failover.py, or add --data force=true"
        )
    acts = []
    for host, unit in found.items():
        checks = [unit.reload_check, unit.restart_check]
        context = {"name": unit.name, "checks": checks, "ready_check": unit.ready_check}
        do = partial(carry_out, run, host, f"restart {unit.name}", UNIT, "restart", context)
        acts.append(Act(f"Restart {unit.name} on {host}", do, host=host))
    return acts
