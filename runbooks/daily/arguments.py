"""What an operator named, and a keeper for what is to stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError, nearest
from nexus.plan.desired import Unit
from nexus.run.run import Run
from nexus.run.runbook import carry_out
from roles.swarm.plan import KEPT


def units(run: Run, word: str, host: str = "") -> dict[str, Unit]:
    """The unit on each host that has it by some role's plan, {host: unit}; OperatorError where there is none."""
    env = run.environment
    if host:
        env.host(host)
    planned: dict[str, dict[str, Unit]] = {}
    for member in env.hosts:
        if run.hosts.reaches(member.name) and host in ("", member.name):
            for role in run.hosts.roles(member.name):
                for unit in run.hosts.plan(member.name, role).units:
                    planned.setdefault(unit.name.removesuffix(".service"), {})[member.name] = unit
    name = word.removesuffix(".service")
    if name not in planned:
        where = f"on {host}" if host else f"in {env.name}"
        raise OperatorError(f"unit={word}: no role lays down such a unit {where}{nearest(name, planned)}")
    return planned[name]


def manager(run: Run) -> str:
    """The host that is asked about the swarm; OperatorError where this run does not reach it."""
    name = run.hosts.teller("kept")
    if name is None or not run.hosts.reaches(name):
        raise OperatorError(f"{name or 'a manager of the swarm'} has to be asked and is not reached: drop --limit")
    return name


def keep(run: Run, values: Mapping[str, Any]) -> None:
    """Have the environment keep these, {"KIND NAME": value}, whichever checkout runs next; None forgets one."""
    carry_out(run, manager(run), "keep it in the swarm", KEPT, "keep", {"keep": dict(values)})


def with_kept(run: Run, values: Mapping[str, Any]) -> Environment:
    """The environment as it would be if these were kept."""
    kept = {key: value for key, value in {**run.hosts.kept(), **values}.items() if value is not None}
    hosts: list[Host] = [run.hosts.host(host.name) for host in run.environment.hosts]
    return run.environment.seen(hosts, run.hosts.digests(), kept)
