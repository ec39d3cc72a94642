"""PostgreSQL's primary and replicas in the hands of an operator, by way of Patroni."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment
from nexus.error import OperatorError, nearest
from nexus.run.role_questions import ask
from nexus.run.run import Run
from nexus.run.runbook import Act, carry_out, watch
from roles.postgresql.host.planned import SYNCHRONOUS
from roles.postgresql.plan import context

STORE, TITLE, DEFAULT = "postgresql", "PostgreSQL", True
COMMAND = Path(__file__).parent / "host/command.py"
Members = dict[str, Mapping[str, Any]]
LEADER, FIT = "leader", ("streaming", "running")
BEGIN_SECONDS = 60  # for a reinitialised member to say so


def switch(run: Run, to: str = "", force: bool = False) -> list[Act]:
    """Acts that move the primary to a host, the best one where none is named; none when it is where it should be."""
    env, view = run.environment, members(run)
    leader = leader_of(view)
    target = _target(env, view, leader, to)
    if target == leader:
        return []
    if force:
        return _forced(run, view, leader, target)
    if not leader:
        raise OperatorError(
            f"PostgreSQL has no primary ({_said(env, view)}). Patroni elects one by itself once etcd has a quorum and "
            f"the primary or its synchronous standby is back. To promote {target} all the same, and lose what was "
            f"acknowledged and it does not have: --data force=true --data to={target}"
        )
    if view[target]["state"] not in FIT:
        raise OperatorError(f"{target} cannot take over, it is {view[target]['state']}: see deploys/status.py")
    moved = _request(run, leader, "POST", "/switchover", {"leader": leader, "candidate": target})
    change = Act(f"Switch PostgreSQL over from {leader} to {target}: writes wait for some seconds", moved, target)
    return _synchronous_first(run, view, target, [change, _followed(run, target)])


def rebuild(run: Run, host: str, force: bool = False) -> list[Act]:
    """Acts that copy the replica on a host anew; refused for the primary and for the last copy that is in step."""
    env, view = run.environment, members(run)
    name, leader, hosts = host, leader_of(view), _hosts(env)
    if name not in hosts:
        raise OperatorError(
            f'host="{name}" is no host of PostgreSQL{nearest(name, hosts)}: say which replica is to be copied anew, '
            f"--data host=NAME. Its hosts: {', '.join(hosts)}"
        )
    if name == leader:
        raise OperatorError(f"{name} is the primary: nothing can be copied over it. deploys/failover.py moves it first")
    if not leader:
        raise OperatorError(f"PostgreSQL has no primary to copy from ({_said(env, view)}): see deploys/status.py")
    others = [other for other, one in view.items() if other not in (name, leader) and one["state"] == "streaming"]
    if not others and env.setting.postgresql_synchronous_strict and not force:
        raise OperatorError(
            f"{name} is the only replica that could be in step with {leader}: while it is copied no write would be on "
            f"two hosts, so all writes would wait. Bring another back first ({_said(env, view)}), or accept the wait: "
            "--data force=true"
        )
    if name not in view:
        raise OperatorError(f"Patroni does not run on {name}: start it there (systemctl start patroni), or run data.py")
    return _synchronous_first(run, view, others[0] if others else "", _copy(run, name, leader))


def members(run: Run) -> Members:
    """Every member as Patroni lists it; whoever knows of a primary is believed."""
    hosts = _hosts(run.environment)
    if not hosts:
        raise OperatorError(f"{run.environment.name} has no host of PostgreSQL")
    best: Members = {}
    errors = []
    for name in filter(run.hosts.reaches, hosts):
        answer = ask(run, name, only=("postgresql",))["postgresql"]
        if "error" in answer:
            errors.append(f"{name}: {answer['error']}")
            continue
        if not best or leader_of(answer["members"]):
            best = dict(answer["members"])
    if not best:
        raise OperatorError(f"nobody can say who is a member of PostgreSQL's cluster: {'; '.join(errors) or hosts}")
    return best


def leader_of(view: Members) -> str:
    """The primary's name, empty when there is none."""
    return next((name for name, one in view.items() if one["role"] == LEADER), "")


def _target(env: Environment, view: Members, leader: str, wanted: str) -> str:
    """Where to: as said, or the replica that is in step, or else the one that lacks least."""
    hosts = _hosts(env)
    if len(hosts) < 2:
        raise OperatorError(f"{env.name} has one host of PostgreSQL, {hosts[0]}: there is nothing to fail over to")
    if wanted:
        if wanted not in hosts:
            raise OperatorError(f'to="{wanted}" is no host of PostgreSQL{nearest(wanted, hosts)}: {", ".join(hosts)}')
        if wanted not in view:
            raise OperatorError(f"{wanted} does not take part in the cluster ({_said(env, view)}): start patroni there")
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
    run.outcome.note(
        "failover",
        f"FORCED: {target} becomes primary whatever it lacks. What was acknowledged and it does not have is LOST, and "
        f"{leader or 'the old primary'} has to give up what it has alone when it is back",
    )
    promote = _request(run, target, "POST", "/failover", {"candidate": target})
    return [Act(f"Promote {target}, though it may lack acknowledged writes", promote, target), _followed(run, target)]


def _synchronous_first(run: Run, view: Members, name: str, acts: list[Act]) -> list[Act]:
    """The acts with a replica that becomes synchronous before them, if it has to be and is not."""
    if not name or view[name]["role"] in SYNCHRONOUS:
        return acts

    def also() -> None:
        _request(run, "", "PATCH", "/config", {"synchronous_node_count": len(view) - 1})()
        _wait(run, name, "becoming synchronous", lambda now: now[name]["role"] in SYNCHRONOUS, BEGIN_SECONDS)

    # A run that ends in between leaves two of them, which the next data.py puts back to one.
    one = _request(run, "", "PATCH", "/config", {"synchronous_node_count": 1})
    return [Act(f"Have {name} confirm writes, too", also, name), *acts, Act("One that confirms writes again", one)]


def _followed(run: Run, target: str) -> Act:
    def whole(view: Members) -> bool:
        followers = [one["state"] for name, one in view.items() if name != target]
        return leader_of(view) == target and set(followers) <= {"streaming"}

    seconds = float(run.environment.setting.failover_seconds)
    what = "being followed by all"
    return Act(f"Wait until all follow {target}", lambda: _wait(run, target, what, whole, seconds), target)


def _copy(run: Run, name: str, leader: str) -> list[Act]:
    def streams(view: Members) -> bool:
        return view.get(name, {}).get("state") == "streaming"

    def begin() -> None:
        _request(run, name, "POST", "/reinitialize", {"force": True})()
        _wait(run, name, "beginning its copy", lambda view: not streams(view), BEGIN_SECONDS)

    seconds = float(run.environment.setting.failover_rebuild_seconds)
    return [
        Act(f"Remove the data of {name} and copy it anew from {leader}", begin, name),
        Act(f"Wait until {name} follows again", lambda: _wait(run, name, "being copied", streams, seconds), name),
    ]


def _wait(run: Run, name: str, what: str, done: Callable[[Members], bool], seconds: float) -> None:
    watch(run, name, what, lambda: members(run), done, seconds)


def _request(run: Run, member: str, method: str, path: str, body: Mapping[str, Any]) -> Callable[[], None]:
    """A request to a member's Patroni, to any when none is named; sent by a host of the cluster that is reached."""
    speaker = next(filter(run.hosts.reaches, _hosts(run.environment)))
    request = {"member": member, "method": method, "path": path, "body": dict(body)}
    what = f"have Patroni {path.strip('/')}"
    return lambda: carry_out(run, speaker, what, COMMAND, "send", {**context(run.environment), "request": request})


def _said(env: Environment, view: Members) -> str:
    known = {name: f"{one['role']}, {one['state']}" for name, one in view.items()}
    return "; ".join(f"{name}: {known.get(name, 'takes no part')}" for name in _hosts(env))


def _hosts(env: Environment) -> list[str]:
    return [host.name for host in env.group("postgresql")]
