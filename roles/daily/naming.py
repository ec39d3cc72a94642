"""What an operator named: services, units, a keeper for what is to stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roles.kit.environment import Environment, Host
from roles.kit.error import OperatorError, nearest
from roles.kit.model import Unit
from roles.kit.run import Run
from roles.plans import keeper_of
from roles.runbook import carry_out
from roles.swarm.plan import ENGINE, KEPT


def services(env: Environment, words: str) -> list[str]:
    """Services by name, separated by commas, or "all"; in start order. OperatorError for one that is none."""
    known = list(env.catalogue.services)
    named = known if words == "all" else list(filter(None, words.replace(" ", "").split(",")))
    for name in named:
        if name not in known:
            raise OperatorError(f"service={name}: {env.name} has no such service{nearest(name, known)}")
    return [name for name in known if name in named]


def units(run: Run, word: str, host: str = "") -> dict[str, Unit]:
    """The unit on each host that has it by some role's plan, {host: unit}; OperatorError where there is none."""
    env = run.environment
    if host:
        env.host(host)
    planned: dict[str, dict[str, Unit]] = {}
    for member in env.hosts:
        if run.reaches(member.name) and host in ("", member.name):
            for role in run.roles(member.name):
                for unit in run.plan(member.name, role).units:
                    planned.setdefault(unit.name.removesuffix(".service"), {})[member.name] = unit
    name = word.removesuffix(".service")
    if name not in planned:
        where = f"on {host}" if host else f"in {env.name}"
        raise OperatorError(f"unit={word}: no role lays down such a unit {where}{nearest(name, planned)}")
    return planned[name]


def manager(run: Run) -> str:
    """The host that is asked about the swarm; OperatorError where this run does not reach it."""
    name = keeper_of(run.environment)
    if name is None or not run.reaches(name):
        raise OperatorError(f"{name or 'a manager of the swarm'} has to be asked and is not reached: drop --limit")
    return name


def keep(run: Run, values: Mapping[str, Any]) -> None:
    """Have the environment keep these, {"KIND NAME": value}, whichever checkout runs next; None forgets one."""
    carry_out(run, manager(run), "keep it in the swarm", KEPT, {"keep": dict(values)}, ENGINE)


def with_kept(run: Run, values: Mapping[str, Any]) -> Environment:
    """The environment as it would be if these were kept."""
    kept = {key: value for key, value in {**run.kept(), **values}.items() if value is not None}
    hosts: list[Host] = [run.host(host.name) for host in run.environment.hosts]
    return run.environment.seen(hosts, run.digests(), kept)
