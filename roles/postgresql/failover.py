"""What an operator does to PostgreSQL's primary and replicas, through Patroni."""

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
BEGIN_SECONDS = 60  # for a member to show a change that it was asked for


def switch(run: Run, to: str = "", force: bool = False) -> list[Act]:
    """Return the acts that move the primary to a host, by default the best one; no acts if it is there already."""
    env, view = run.environment, members(run)
    leader = leader_of(view)
    target = _target(env, view, leader, to)
    if target == leader:
        return []
    if force:
        return _forced(run, view, leader, target)
    if not leader:
        raise OperatorError(
            f"PostgreSQL has no primary ({_said(env, view)}). Patroni elects one once etcd has a quorum and the former "
            f"primary or its synchronous standby is back. To promote {target} anyway, and lose the acknowledged writes "
            f"that it lacks: --data force=true --data to={target}"
        )
    if view[target]["state"] not in FIT:
        raise OperatorError(f"{target} cannot take over, its state is {view[target]['state']}: see deploys/status.py")
    moved = _request(run, leader, "POST", "/switchover", {"leader": leader, "candidate": target})
    change = Act(f"Switch PostgreSQL over from {leader} to {target}: writes wait for some seconds", moved, target)
    return _synchronous_first(run, view, target, [change, _followed(run, target)])


def rebuild(run: Run, host: str, force: bool = False) -> list[Act]:
    """Return the acts that copy the replica on a host again; refused for the primary and the last replica in step."""
    env, view = run.environment, members(run)
    name, leader, hosts = host, leader_of(view), _hosts(env)
    if name not in hosts:
        raise OperatorError(
            f'host="{name}" is not a host of PostgreSQL{nearest(name, hosts)}: name the replica to copy again, '
            f"--data host=NAME. Its hosts: {', '.join(hosts)}"
        )
    if name == leader:
        raise OperatorError(f"{name} is the primary, which cannot be rebuilt: move it with deploys/failover.py first")
    if not leader:
        raise OperatorError(f"PostgreSQL has no primary to copy from ({_said(env, view)}): see deploys/status.py")
    others = [other for other, one in view.items() if other not in (name, leader) and one["state"] == "streaming"]
    if not others and env.setting.postgresql_synchronous_strict and not force:
        raise OperatorError(
            f"{name} is the only replica that could be in step with {leader}: while it is copied, no write would be on "
            f"two hosts, so all writes would wait. Bring another replica back online first ({_said(env, view)}), or "
            "accept the wait: --data force=true"
        )
    if name not in view:
        raise OperatorError(
            f"Patroni does not run on {name}: start it there (systemctl start patroni), or run deploys/data.py"
        )
    return _synchronous_first(run, view, others[0] if others else "", _copy(run, name, leader))


def members(run: Run) -> Members:
    """Return every member as Patroni lists it; an answer that names a primary wins."""
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
        raise OperatorError(f"no host can list the members of PostgreSQL's cluster: {'; '.join(errors) or hosts}")
    return best


def leader_of(view: Members) -> str:
    """The primary's name, empty when there is none."""
    return next((name for name, one in view.items() if one["role"] == LEADER), "")


def _target(env: Environment, view: Members, leader: str, wanted: str) -> str:
    """Return the target: the requested host, else the replica in step, else the one that lacks least."""
    hosts = _hosts(env)
    if len(hosts) < 2:
        raise OperatorError(f"{env.name} has one host of PostgreSQL, {hosts[0]}: there is nothing to fail over to")
    if wanted:
        if wanted not in hosts:
            raise OperatorError(
                f'to="{wanted}" is not a host of PostgreSQL{nearest(wanted, hosts)}: {", ".join(hosts)}'
            )
        if wanted not in view:
            raise OperatorError(f"{wanted} does not take part in the cluster ({_said(env, view)}): start patroni there")
        return wanted

    def rank(name: str) -> tuple[bool, bool, float]:
        one = view[name]
        lag = one["lag"] if isinstance(one["lag"], int) else float("inf")
        return one["state"] not in FIT, one["role"] not in SYNCHRONOUS, lag

    candidates = sorted((name for name in view if name in hosts and name != leader), key=rank)
    if not candidates:
        raise OperatorError(f"no replica can take over ({_said(env, view)}): see deploys/status.py")
    return candidates[0]


def _forced(run: Run, view: Members, leader: str, target: str) -> list[Act]:
    run.outcome.note(
        "failover",
        f"FORCED: {target} becomes primary, whatever it lacks. Acknowledged writes that it does not have are LOST, and "
        f"{leader or 'the old primary'} must discard the writes that only it has once it is back",
    )
    promote = _request(run, target, "POST", "/failover", {"candidate": target})
    return [Act(f"Promote {target}, though it may lack acknowledged writes", promote, target), _followed(run, target)]


def _synchronous_first(run: Run, view: Members, name: str, acts: list[Act]) -> list[Act]:
    """Return the acts, preceded by one that makes a replica synchronous if it must be and is not yet."""
    if not name or view[name]["role"] in SYNCHRONOUS:
        return acts

    def also() -> None:
        _request(run, "", "PATCH", "/config", {"synchronous_node_count": len(view) - 1})()
        _wait(run, name, "the change to synchronous", lambda now: now[name]["role"] in SYNCHRONOUS, BEGIN_SECONDS)

    # A run that ends in between leaves two of them; the next data.py resets that to one.
    one = _request(run, "", "PATCH", "/config", {"synchronous_node_count": 1})
    return [
        Act(f"Have {name} confirm writes, too", also, name),
        *acts,
        Act("Have one replica confirm writes again", one),
    ]


def _followed(run: Run, target: str) -> Act:
    def whole(view: Members) -> bool:
        followers = [one["state"] for name, one in view.items() if name != target]
        return leader_of(view) == target and set(followers) <= {"streaming"}

    seconds = float(run.environment.setting.failover_seconds)
    what = "the wait for all to follow"
    return Act(f"Wait until all follow {target}", lambda: _wait(run, target, what, whole, seconds), target)


def _copy(run: Run, name: str, leader: str) -> list[Act]:
    def streams(view: Members) -> bool:
        return view.get(name, {}).get("state") == "streaming"

    def begin() -> None:
        _request(run, name, "POST", "/reinitialize", {"force": True})()
        _wait(run, name, "the start of its copy", lambda view: not streams(view), BEGIN_SECONDS)

    seconds = float(run.environment.setting.failover_rebuild_seconds)
    return [
        Act(f"Remove the data of {name} and copy it again from {leader}", begin, name),
        Act(f"Wait until {name} follows again", lambda: _wait(run, name, "its copy", streams, seconds), name),
    ]


def _wait(run: Run, name: str, what: str, done: Callable[[Members], bool], seconds: float) -> None:
    watch(run, name, what, lambda: members(run), done, seconds)


def _request(run: Run, member: str, method: str, path: str, body: Mapping[str, Any]) -> Callable[[], None]:
    """Return a request to a member's Patroni, or to any if none is named; a host of the cluster sends it."""
    speaker = next(filter(run.hosts.reaches, _hosts(run.environment)))
    request = {"member": member, "method": method, "path": path, "body": dict(body)}
    what = f"ask Patroni for {path.strip('/')}"
    return lambda: carry_out(run, speaker, what, COMMAND, "send", {**context(run.environment), "request": request})


def _said(env: Environment, view: Members) -> str:
    known = {name: f"{one['role']}, {one['state']}" for name, one in view.items()}
    return "; ".join(f"{name}: {known.get(name, 'not a member')}" for name in _hosts(env))


def _hosts(env: Environment) -> list[str]:
    return [host.name for host in env.group("postgresql")]
