"""Restart services or a unit, never all of it at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from roles.daily import naming
from roles.kit.error import OperatorError
from roles.kit.run import Run
from roles.runbook import Act, carry_out

SERVICES = Path(__file__).with_name("remote.py")
UNIT = Path(__file__).with_name("unit.py")
LIBRARIES = ("roles.docker.client", "roles.service.rollout")


def plan(run: Run) -> Sequence[Act]:
    """One act for all services, in start order; or one for each host of a unit, one after the other."""
    setting = run.environment.setting
    if bool(setting.service) == bool(setting.unit):
        raise OperatorError("say what: --data service=auth-service, or --data unit=redis-server [--data host=data2]")
    return _services(run) if setting.service else _units(run)


def _services(run: Run) -> Sequence[Act]:
    env = run.environment
    names = naming.services(env, str(env.setting.service))
    phases = sorted({env.catalogue.service(name).startup_phase for name in names})
    groups = [[name for name in names if env.catalogue.service(name).startup_phase == phase] for phase in phases]
    context = {"restart": groups, "seconds": env.setting.service_phase_timeout_seconds}
    do = partial(carry_out, run, naming.manager(run), "restart services", SERVICES, context, LIBRARIES)
    return [Act(f"Replace the tasks of {', '.join(names)}, the new one first", do)]


def _units(run: Run) -> Sequence[Act]:
    env = run.environment
    name = str(env.setting.unit)
    found = naming.units(run, name, str(env.setting.host))
    if name.removesuffix(".service") == "patroni" and not env.setting.force:
        raise OperatorError(
            "unit=patroni stops PostgreSQL on its host: on the primary all writes wait until another one takes over. "
            "Move it first by deploys/failover.py, or say --data force=true"
        )
    acts = []
    for host, unit in found.items():
        checks = [unit.reload_check, unit.restart_check]
        context = {"name": unit.name, "checks": checks, "ready_check": unit.ready_check}
        do = partial(carry_out, run, host, f"restart {unit.name}", UNIT, context)
        acts.append(Act(f"Restart {unit.name} on {host}", do, host=host))
    return acts
