"""Rows about PostgreSQL: the primary, the lag of each replica, and what is wrong."""

from collections.abc import Iterator, Mapping
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.run.row import Answers, Row, amount, condition, duration, told, unreachable_lines
from roles.certificate.door import Door, door
from roles.postgresql.host.patroni_api import LEADERS
from roles.postgresql.host.planned import SYNCHRONOUS
from roles.postgresql.plan import compared, context

SHARED = ("replication-state",)  # daily checks that these rows answer
Answer = Mapping[str, Any]


def question(env: Environment, host: Host) -> dict[str, Any]:
    """Each host asks its own member and server."""
    if "postgresql" not in host.groups:
        return {}
    own = {"name": host.name, "members": {host.name: host.address}}
    return {"postgresql": {**context(env), **compared(env, host), **own}}


def doors(env: Environment, host: Host) -> list[Door]:
    """The server and Patroni."""
    if "postgresql" not in host.groups:
        return []
    server = door(host, "postgresql", host.setting.postgresql_port, asks_first=True)
    return [server, door(host, "patroni", host.setting.postgresql_rest_port)]


def rows(env: Environment, answers: Answers, now: float) -> Iterator[Row]:
    """The primary, and each replica's lag."""
    hosts = [host.name for host in env.group("postgresql")]
    if not hosts:
        return
    yield from unreachable_lines(answers, "postgresql", hosts)
    said = told(answers, "postgresql", hosts)
    members: dict[str, Answer] = {}
    for answer in said.values():  # an answer that names a primary wins
        if not members or any(one["role"] in LEADERS for one in answer["members"].values()):
            members = answer["members"]
    primaries = [name for name, answer in said.items() if answer["server"].get("replica") is False]
    leader = next((name for name, one in members.items() if one["role"] in LEADERS), "")
    yield _primary(leader, primaries)
    if any(answer["paused"] for answer in said.values()):
        yield Row("postgresql", "failover", "paused", "", "run `patronictl resume` once the pause is no longer needed")
    for name, answer in said.items():
        yield from condition("postgresql", f"{name} server", answer["own"], "deploys/data.py resets it")
        yield from condition("postgresql", f"{name} pooler", {"obstacle": answer["pooler"]}, "")
    standbys = {one["name"]: one for name in primaries for one in said[name]["server"]["standbys"]}
    for name in hosts:
        if name != leader:
            yield _replica(env, name, members.get(name), standbys.get(name), said.get(name, {}).get("server", {}))
    if len(hosts) > 1 and leader:
        yield _synchronous(members)
    yield from _strange(sorted(set(members) - set(hosts)))
    for name in primaries:
        yield _connections(env, name, said[name]["server"])


def _primary(leader: str, primaries: list[str]) -> Row:
    if len(primaries) > 1:
        return Row(
            "postgresql", "primary", " and ".join(primaries), "one",
            "two servers take writes: stop patroni on the one that `patronictl list` does not name as leader, and "
            "check which of them the synchronous standby follows",
        )  # fmt: skip
    if not leader or leader not in primaries:
        return Row(
            "postgresql", "primary", leader or "none", "one",
            "no writes are accepted: see etcd above and the journal of patroni. With a quorum of etcd, a primary is "
            "elected within a minute; otherwise run deploys/failover.py --data force=true",
        )  # fmt: skip
    return Row("postgresql", "primary", leader, "one")


def _replica(env: Environment, name: str, member: Answer | None, standby: Answer | None, server: Answer) -> Row:
    most = env.catalogue.operations.failover.postgresql.lag_tolerance_seconds
    target = f"at most {most} s behind"
    rebuild = f"deploys/rebuild_replica.py --data host={name} copies it again"
    if member is None:
        return Row("postgresql", name, "is not a member", target, f"start patroni on {name}, or run deploys/data.py")
    if not standby or standby["state"] != "streaming":
        why = standby["state"] if standby else member["state"]
        return Row(
            "postgresql", name, f"does not stream: {why}", target, f"see the journal of patroni on {name}; {rebuild}"
        )
    size = float(standby["bytes"] or 0)
    seconds = float(server.get("behind_seconds") or 0) if size else 0.0
    kind = "synchronous" if member["role"] in SYNCHRONOUS else "replica"
    value = f"{kind}, {amount(size)} and {duration(seconds)} behind"
    late = f"{name} cannot keep up: check its load, its disks and long queries; if that does not help, {rebuild}"
    return Row("postgresql", name, value, target, late if seconds > most else "")


def _synchronous(members: Mapping[str, Answer]) -> Row:
    names = sorted(name for name, one in members.items() if one["role"] in SYNCHRONOUS)
    advice = "" if names else "writes wait, or are on one host only: bring a replica back online"
    return Row("postgresql", "synchronous", ", ".join(names) or "none", "one or more", advice)


def _strange(names: list[str]) -> Iterator[Row]:
    for name in names:
        yield Row(
            "postgresql", name, "is a member but not in the inventory", "",
            f"stop it there: systemctl disable --now patroni; its data stays on {name}",
        )  # fmt: skip


def _connections(env: Environment, name: str, server: Answer) -> Row:
    percent = 100 * int(server["connections"]) / int(server["most"])
    baseline = env.catalogue.operations.baselines.db_connections
    value = f"{server['connections']} of {server['most']}"
    advice = "see who holds them: select * from pg_stat_activity" if percent > baseline.warning else ""
    return Row("postgresql", "connections", value, f"at most {baseline.warning:g} %", advice)
