"""Lines about etcd, PostgreSQL and RabbitMQ: who leads, who follows how closely, and what is out of order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from roles.kit.environment import Environment
from roles.kit.quorum import majority
from roles.postgresql.rest import LEADERS
from roles.status.line import Answers, Line, amount, duration, mute, told

Answer = Mapping[str, Any]
SYNCHRONOUS = ("sync_standby", "quorum_standby")


def etcd(env: Environment, answers: Answers) -> Iterator[Line]:
    """Quorum and leader, as those members say that can be asked."""
    hosts = [host.name for host in env.group("etcd")]
    if not hosts:
        return
    said = told(answers, "etcd", hosts)
    yield from mute(answers, "etcd", hosts)
    agreeing = [answer for answer in said.values() if answer["agrees"]]
    leader = next((answer["leader"] for answer in agreeing if answer["leader"]), "")
    least = majority(len(hosts))
    value = f"{len(said)} of {len(hosts)} answer, " + (f"{leader} leads" if leader else "nobody leads")
    advice = ""
    if not agreeing:
        advice = (
            "no quorum: PostgreSQL accepts no writes. Start etcd on the other hosts (systemctl start etcd)"
        )
    elif len(said) < len(hosts):
        advice = f"one more lost may stop PostgreSQL: bring {', '.join(sorted(set(hosts) - set(said)))} back"
    yield Line("etcd", "quorum", value, f"{least} agree, all answer", advice)
    for answer in agreeing[:1]:
        strange = sorted(set(answer["members"]) - set(hosts))
        learning = sorted(name for name, votes in answer["members"].items() if not votes)
        if strange or learning:
            value = ", ".join([*(f"{name} is not in the inventory" for name in strange),
                               *(f"{name} has no vote" for name in learning)])  # fmt: skip
            yield Line("etcd", "members", value, "as the inventory", "run deploys/data.py")
    for name, answer in said.items():
        if answer["errors"]:
            errors = ", ".join(map(str, answer["errors"]))
            yield Line(
                "etcd", name, errors, "", "`etcdctl alarm list` there; NOSPACE: compact and defragment"
            )


def postgresql(env: Environment, answers: Answers) -> Iterator[Line]:
    """The primary, and each replica's lag."""
    hosts = [host.name for host in env.group("postgresql")]
    if not hosts:
        return
    yield from mute(answers, "postgresql", hosts)
    said = told(answers, "postgresql", hosts)
    members: dict[str, Answer] = {}
    for answer in said.values():  # whoever knows of a primary is believed
        if not members or any(one["role"] in LEADERS for one in answer["members"].values()):
            members = answer["members"]
    primaries = [name for name, answer in said.items() if answer["server"].get("replica") is False]
    leader = next((name for name, one in members.items() if one["role"] in LEADERS), "")
    yield _primary(leader, primaries)
    if any(answer["paused"] for answer in said.values()):
        yield Line(
            "postgresql", "failover", "paused", "", "`patronictl resume` once what it was paused for is done"
        )
    standbys = {one["name"]: one for name in primaries for one in said[name]["server"]["standbys"]}
    for name in hosts:
        if name != leader:
            yield _replica(
                env, name, members.get(name), standbys.get(name), said.get(name, {}).get("server", {})
            )
    if len(hosts) > 1 and leader:
        yield _synchronous(members)
    yield from _strange(sorted(set(members) - set(hosts)))
    for name in primaries:
        yield _connections(env, name, said[name]["server"])


def _primary(leader: str, primaries: list[str]) -> Line:
    if len(primaries) > 1:
        return Line(
            "postgresql", "primary", " and ".join(primaries), "one",
            "two servers take writes: stop patroni where `patronictl list` does not name the leader, and look which "
            "of them the synchronous standby follows",
        )  # fmt: skip
    if not leader or leader not in primaries:
        return Line(
            "postgresql", "primary", leader or "nobody", "one",
            "no writes are accepted: see etcd above and the journal of patroni; with a quorum of etcd one is elected "
            "within a minute, else deploys/failover.py --data force=true",
        )  # fmt: skip
    return Line("postgresql", "primary", leader, "one")


def _replica(
    env: Environment, name: str, member: Answer | None, standby: Answer | None, server: Answer
) -> Line:
    most = env.catalogue.operations.failover.postgresql.lag_tolerance_seconds
    target = f"at most {most} s behind"
    rebuild = f"deploys/rebuild_replica.py --data host={name} copies it anew"
    if member is None:
        return Line(
            "postgresql", name, "is no member", target, f"start patroni on {name}, or run deploys/data.py"
        )
    if not standby or standby["state"] != "streaming":
        why = standby["state"] if standby else member["state"]
        return Line(
            "postgresql", name, f"does not stream: {why}", target, f"journal of patroni on {name}; {rebuild}"
        )
    size = float(standby["bytes"] or 0)
    seconds = float(server.get("behind_seconds") or 0) if size else 0.0
    kind = "synchronous" if member["role"] in SYNCHRONOUS else "replica"
    value = f"{kind}, {amount(size)} and {duration(seconds)} behind"
    late = (
        f"{name} cannot keep up: its load and disks, long queries on it; else {rebuild}"
        if seconds > most
        else ""
    )
    return Line("postgresql", name, value, target, late)


def _synchronous(members: Mapping[str, Answer]) -> Line:
    names = sorted(name for name, one in members.items() if one["role"] in SYNCHRONOUS)
    advice = "" if names else "writes wait, or are on one host alone: bring a replica back"
    return Line("postgresql", "synchronous", ", ".join(names) or "nobody", "one or more", advice)


def _strange(names: list[str]) -> Iterator[Line]:
    for name in names:
        yield Line(
            "postgresql", name, "is a member and not in the inventory", "",
            f"stop it there: systemctl disable --now patroni; its data stays on {name}",
        )  # fmt: skip


def _connections(env: Environment, name: str, server: Answer) -> Line:
    percent = 100 * int(server["connections"]) / int(server["most"])
    baseline = env.catalogue.operations.baselines["db_connections"]
    value = f"{server['connections']} of {server['most']}"
    advice = "see who holds them: select * from pg_stat_activity" if percent > baseline.warning else ""
    return Line("postgresql", "connections", value, f"at most {baseline.warning:g} %", advice)


def rabbitmq(env: Environment, answers: Answers) -> Iterator[Line]:
    """Nodes, partitions, alarms, and queues that cannot take anything."""
    hosts = [host.name for host in env.group("rabbitmq")]
    if not hosts:
        return
    yield from mute(answers, "rabbitmq", hosts)
    said = told(answers, "rabbitmq", hosts)
    running = {answer["node"] for answer in said.values() if answer["nodes"].get(answer["node"])}
    known = {node for answer in said.values() for node in answer["nodes"]}
    planned = {f"rabbit@{name}" for name in hosts}
    missing = sorted(planned - running)
    advice = (
        f"systemctl start rabbitmq-server on {', '.join(node[7:] for node in missing)}" if missing else ""
    )
    yield Line("rabbitmq", "nodes", f"{len(planned & running)} of {len(hosts)} run", "all", advice)
    if strange := sorted(known - planned):
        yield Line(
            "rabbitmq", "members", f"{', '.join(strange)} not in the inventory", "", "run deploys/data.py"
        )
    for name, answer in said.items():
        seen = {node for node, runs in answer["nodes"].items() if runs}
        if apart := sorted(planned & running - seen):
            value = f"does not see {', '.join(apart)}"
            yield Line("rabbitmq", name, value, "no partition", "mend the network, then run deploys/data.py")
    alarms = sorted({alarm for answer in said.values() for alarm in answer["alarms"]})
    if alarms:
        yield Line(
            "rabbitmq", "alarms", ", ".join(alarms), "none", "publishers are blocked: free memory or disk"
        )
    lame = sorted({queue for answer in said.values() for queue in answer["without majority"]})
    count = max((answer["queues"] for answer in said.values()), default=0)
    advice = f"{', '.join(lame[:5])}: bring the nodes back that hold them" if lame else ""
    yield Line(
        "rabbitmq", "queues", f"{count} with a quorum, {len(lame)} without a majority", "none without", advice
    )
