"""What an operator does to Redis's primaries, through the Sentinels."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from nexus.error import OperatorError, nearest
from nexus.run.role_questions import ask
from nexus.run.run import Run
from nexus.run.runbook import Act, carry_out, watch
from roles.redis.instance import INSTANCES
from roles.sentinel.plan import context

STORE, TITLE = "redis", "Redis"
NO_REBUILD = "Redis copies everything again when it restarts"
COMMAND = Path(__file__).parent / "host/command.py"


def switch(run: Run, to: str = "", force: bool = False) -> list[Act]:
    """Return acts for each of the two instances whose primary is elsewhere."""
    env = run.environment
    hosts = {host.name: host.address for host in env.group("redis")}
    if len(hosts) < 2:
        raise OperatorError(f"{env.name} has {len(hosts)} host of Redis: there is nothing to fail over to")
    if to and to not in hosts:
        raise OperatorError(f'to="{to}" is not a host of Redis{nearest(to, hosts)}: {", ".join(hosts)}')
    acts = []
    for one in INSTANCES:
        answers = _answers(run, one.name)
        primary = _primary(hosts, answers)
        if not primary or primary != to:
            target = _target(one.name, primary, to, answers)
            acts += [_move(run, one.name, primary, target, force), _followed(run, one.name, target)]
    return acts


def primaries(run: Run) -> dict[str, str]:
    """Return {instance: host of its primary}, as a majority of the Sentinels names it; empty where none does."""
    hosts = {host.name: host.address for host in run.environment.group("redis")}
    return {one.name: _primary(hosts, _answers(run, one.name)) for one in INSTANCES}


def _answers(run: Run, instance: str) -> dict[str, Mapping[str, Any]]:
    """What the reached hosts answer about an instance."""
    names = [host.name for host in run.environment.group("redis") if run.hosts.reaches(host.name)]
    said = {name: ask(run, name, only=("sentinel",))["redis"] for name in names}
    return {name: answer[instance] for name, answer in said.items() if "error" not in answer}


def _primary(hosts: Mapping[str, str], answers: Mapping[str, Mapping[str, Any]]) -> str:
    voices = [answer["primary"] for answer in answers.values()]
    return next((name for name, address in hosts.items() if voices.count(address) * 2 > len(hosts)), "")


def _target(instance: str, primary: str, wanted: str, answers: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the requested host, or the replica that has most."""
    fit = {
        name: answer["server"]["offset"]
        for name, answer in answers.items()
        if name != primary and answer["server"]["role"] == "slave"
    }
    if not fit or (wanted and wanted not in fit):
        who = f"{wanted} is not a replica of it now" if wanted else "no replica of it answers"
        raise OperatorError(f"Redis {instance} cannot move: {who}. See deploys/status.py")
    return wanted or max(fit, key=lambda name: int(fit[name]))


def _move(run: Run, instance: str, primary: str, target: str, force: bool) -> Act:
    env = run.environment
    if not primary and not force:
        raise OperatorError(
            f"Redis {instance}: no majority of the Sentinels names a primary. They promote one once a majority runs. "
            f"To promote {target} on the word of one Sentinel, and lose the writes that it lacks: --data force=true"
        )
    if force:
        text = f"FORCED: {target} becomes primary of Redis {instance}; writes that it does not have are LOST"
        run.outcome.note("failover", text)
    known = {**context(env, env.host(target)), "instance": instance, "force": force}
    what = f"Switch Redis {instance} over from {primary or 'no primary'} to {target}: writes wait for some seconds"
    take_over = partial(carry_out, run, target, f"take over Redis {instance}", COMMAND, "take_over", known)
    return Act(what, take_over, target)


def _followed(run: Run, instance: str, target: str) -> Act:
    address = run.environment.host(target).address

    def whole(answers: Mapping[str, Mapping[str, Any]]) -> bool:
        others = [answer["server"] for name, answer in answers.items() if name != target]
        follow = all(server["role"] == "slave" and server["linked"] for server in others)
        return follow and all(answer["primary"] == address for answer in answers.values())

    def wait() -> None:
        seconds = float(run.environment.setting.failover_seconds)
        watch(run, target, "the wait for all to follow", lambda: _answers(run, instance), whole, seconds)

    return Act(f"Wait until all follow {target}", wait, target)
