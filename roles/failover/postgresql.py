"""PostgreSQL's primary and replicas in the hands of an operator, by way of Patroni."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import roles.postgresql
from roles.kit.environment import Environment
from roles.kit.error import OperatorError, nearest
from roles.kit.run import Run
from roles.postgresql.plan import REST, context
from roles.runbook import Act, carry_out, watch
from roles.status.plan import ask

COMMAND = Path(roles.postgresql.__path__[0], "command.py")
Members = dict[str, Mapping[str, Any]]
LEADER, SYNCHRONOUS, FIT = "leader", ("sync_standby", "quorum_standby"), ("streaming", "running")
BEGIN_SECONDS = 60  # for a reinitialised member to say so


def switch(run: Run) -> list[Act]:
    """Acts that move the primary; none when it is where it should be."""
    env, view = run.environment, members(run)
    leader = leader_of(view)
    target = _target(env, view, leader)
    if target == leader:
        return []
    if env.setting.force:
        return _forced(run, view, leader, target)
    if not leader:
        raise OperatorError(
            f"PostgreSQL has no primary ({_said(env, view)}). Patroni elects one by itself once etcd has a quorum and "
            f"the primary or its synchronous standby is back. To promote {target} all the same, and lose what was "
            f"acknowledged and it does not have: --data force=true --data to={target}"
        )
    if view[target]["state"] not in FIT:
        raise OperatorError(
            f"{target} cannot take over, it is {view[target]['state']}: see deploys/status.py"
        )
    moved = _request(run, leader, "POST", "/switchover", {"leader": leader, "candidate": target})
    change = Act(
        f"Switch PostgreSQL over from {leader} to {target}: writes wait for some seconds", moved, target
    )
    return _synchronous_first(run, view, target, [change, _followed(run, target)])


def rebuild(run: Run) -> list[Act]:
    """Acts that copy a replica anew; refused for the primary and for the last copy that is in step."""
    env, view = run.environment, members(run)
    name, leader = str(env.setting.host), leader_of(view)
    hosts = [host.name for host in env.group("postgresql")]
    if name not in hosts:
        raise OperatorError(
            f'host="{name}" is no host of PostgreSQL{nearest(name, hosts)}: say which replica is to be copied anew, '
            f"--data host=NAME. Its hosts: {', '.join(hosts)}"
        )
    if name == leader:
        raise OperatorError(
            f"{name} is the primary: nothing can be copied over it. deploys/failover.py moves it first"
        )
    if not leader:
        raise OperatorError(
            f"PostgreSQL has no primary to copy from ({_said(env, view)}): see deploys/status.py"
        )
    others = [
        other for other, one in view.items() if other not in (name, leader) and one["state"] == "streaming"
    ]
    if not others and env.setting.postgresql_synchronous_strict and not env.setting.force:
        raise OperatorError(
            f"{name} is the only replica that could be in step with {leader}: while it is copied no write would be on "
            f"two hosts, so all writes would wait. Bring another back first ({_said(env, view)}), or accept the wait: "
            "--data force=true"
        )
    if name not in view:
        raise OperatorError(
            f"Patroni does not run on {name}: start it there (systemctl start patroni), or run data.py"
        )
    begun = _request(run, name, "POST", "/reinitialize", {"force": True})
    copy = Act(f"Remove the data of {name} and copy it anew from {leader}", _begin(run, name, begun), name)
    return _synchronous_first(run, view, others[0] if others else "", [copy, _copied(run, name)])


def members(run: Run) -> Members:
    """Every member as Patroni lists it; whoever knows of a primary is believed."""
    hosts = [host.name for host in run.environment.group("postgresql")]
    if not hosts:
        raise OperatorError(f"{run.environment.name} has no host of PostgreSQL")
    best: Members = {}
    errors = []
    for name in filter(run.reaches, hosts):
        answer = ask(run, name, only=("postgresql",))["postgresql"]
        if "error" in answer:
            errors.append(f"{name}: {answer['error']}")
            continue
        if not best or leader_of(answer["members"]):
            best = dict(answer["members"])
    if not best:
        raise OperatorError(
            f"nobody can say who is a member of PostgreSQL's cluster: {'; '.join(errors) or hosts}"
        )
    return best


def leader_of(view: Members) -> str:
    """The primary's name, empty when there is none."""
    return next((name for name, one in view.items() if one["role"] == LEADER), "")


def _target(env: Environment, view: Members, leader: str) -> str:
    """Where to: as said, or the replica that is in step, or else the one that lacks least."""
    hosts = [host.name for host in env.group("postgresql")]
    if len(hosts) < 2:
        raise OperatorError(
            f"{env.name} has one host of PostgreSQL, {hosts[0]}: there is nothing to fail over to"
        )
    wanted = str(env.setting.to)
    if wanted:
        if wanted not in hosts:
            raise OperatorError(
                f'to="{wanted}" is no host of PostgreSQL{nearest(wanted, hosts)}: {", ".join(hosts)}'
            )
        if wanted not in view:
            raise OperatorError(
                f"{wanted} does not take part in the cluster ({_said(env, view)}): start patroni there"
            )
        return wanted

    def rank(name: str) -> tuple[bool, bool, float]:
        one = view[name]
        lag = one["lag"] if isinstance(one["lag"], int) else float("inf")
        return one["state"] not in FIT, one["role"] not in SYNCHRONOUS, lag

    candidates = sorted((name for name in view if name in hosts and name != leader), key=rank)
    if not candidates:
        raise OperatorError(f"no replica is there to take over ({_said(env, view)}): see deploys/status.py")
    return candidates[0]


def _forced(run: Run, view: Members, leader: str, target: str) -> list[Act]:
    run.note(
        "failover",
        f"FORCED: {target} becomes primary whatever it lacks. What was acknowledged and it does not have is LOST, and "
        f"{leader or 'the old primary'} has to give up what it has alone when it is back",
    )
    promote = _request(run, target, "POST", "/failover", {"candidate": target})
    return [
        Act(f"Promote {target}, though it may lack acknowledged writes", promote, target),
        _followed(run, target),
    ]


def _synchronous_first(run: Run, view: Members, name: str, acts: list[Act]) -> list[Act]:
    """The acts with a replica that becomes synchronous before them, if it has to be and is not."""
    if not name or view[name]["role"] in SYNCHRONOUS:
        return acts

    def also() -> None:
        _request(run, "", "PATCH", "/config", {"synchronous_node_count": len(view) - 1})()
        _until(
            run, name, "becoming synchronous", lambda now: now[name]["role"] in SYNCHRONOUS, BEGIN_SECONDS
        )()

    # A run that ends in between leaves two of them, which the next data.py puts back to one.
    one = _request(run, "", "PATCH", "/config", {"synchronous_node_count": 1})
    return [
        Act(f"Have {name} confirm writes, too", also, name),
        *acts,
        Act("One that confirms writes again", one),
    ]


def _followed(run: Run, target: str) -> Act:
    def whole(view: Members) -> bool:
        followers = [one["state"] for name, one in view.items() if name != target]
        return leader_of(view) == target and set(followers) <= {"streaming"}

    seconds = float(run.environment.setting.failover_seconds)
    return Act(
        f"Wait until all follow {target}",
        _until(run, target, "being followed by all", whole, seconds),
        target,
    )


def _begin(run: Run, name: str, begun: Callable[[], None]) -> Callable[[], None]:
    def away(view: Members) -> bool:
        return view.get(name, {}).get("state") != "streaming"

    wait = _until(run, name, "beginning its copy", away, BEGIN_SECONDS)

    def begin() -> None:
        begun()
        wait()

    return begin


def _copied(run: Run, name: str) -> Act:
    def done(view: Members) -> bool:
        return view.get(name, {}).get("state") == "streaming"

    seconds = float(run.environment.setting.failover_rebuild_seconds)
    return Act(f"Wait until {name} follows again", _until(run, name, "being copied", done, seconds), name)


def _until(
    run: Run, name: str, what: str, done: Callable[[Members], bool], seconds: float
) -> Callable[[], None]:
    def wait() -> None:
        watch(run, name, what, lambda: members(run), done, seconds)

    return wait


def _request(run: Run, member: str, method: str, path: str, body: Mapping[str, Any]) -> Callable[[], None]:
    """A request to a member's Patroni, to any when none is named; sent by a host of the cluster that is reached."""
    env = run.environment
    speaker = next(host.name for host in env.group("postgresql") if run.reaches(host.name))
    request = {"member": member, "method": method, "path": path, "body": dict(body)}
    what = f"have Patroni {path.strip('/')}"
    return lambda: carry_out(run, speaker, what, COMMAND, {**context(env), "request": request}, REST)


def _said(env: Environment, view: Members) -> str:
    names = [host.name for host in env.group("postgresql")]
    known = {name: f"{one['role']}, {one['state']}" for name, one in view.items()}
    return "; ".join(f"{name}: {known.get(name, 'takes no part')}" for name in names)
