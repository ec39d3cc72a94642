"""The units that an operator named, and what the environment keeps."""

from collections.abc import Mapping
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError, nearest
from nexus.plan.desired import Unit
from nexus.run.run import Run
from nexus.run.runbook import carry_out
from roles.swarm.plan import KEPT


def units(run: Run, word: str, host: str = "") -> dict[str, Unit]:
    """The unit on each host where a role plans it, {host: unit}; OperatorError if no role does."""
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
        raise OperatorError(f"unit={word}: no role installs such a unit {where}{nearest(name, planned)}")
    return planned[name]


def manager(run: Run) -> str:
    """The host that answers for the swarm; OperatorError if this run does not reach it."""
    name = run.hosts.teller("kept")
    if name is None or not run.hosts.reaches(name):
        raise OperatorError(f"{name or 'a manager of the swarm'} must be asked and is not reached: drop --limit")
    return name


def keep(run: Run, values: Mapping[str, Any]) -> None:
    """Have the environment keep these values, {"KIND NAME": value}, for runs of any checkout; None forgets one."""
    carry_out(run, manager(run), "store it in the swarm", KEPT, "keep", {"keep": dict(values)})


def with_kept(run: Run, values: Mapping[str, Any]) -> Environment:
    """The environment as it would be if it kept these values."""
    kept = {key: value for key, value in {**run.hosts.kept(), **values}.items() if value is not None}
    hosts: list[Host] = [run.hosts.host(host.name) for host in run.environment.hosts]
    return run.environment.with_facts(hosts, run.hosts.digests(), kept)
