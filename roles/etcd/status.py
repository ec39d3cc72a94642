"""Rows about etcd: quorum, leader, members, and what is wrong."""

from collections.abc import Iterator
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.environment.quorum import majority
from nexus.run.row import Answers, Row, told, unreachable_lines
from roles.certificate.door import Door, etcd_door
from roles.etcd.plan import TLS

SHARED = ("replication-state",)  # daily checks that these rows answer


def question(env: Environment, host: Host) -> dict[str, Any]:
    """Each host asks its own member."""
    if "etcd" not in host.groups:
        return {}
    return {"etcd": {"endpoint": f"{host.address}:{env.setting.etcd_client_port}", "tls": TLS}}


def doors(env: Environment, host: Host) -> list[Door]:
    """For clients and for other members."""
    ports = (host.setting.etcd_client_port, host.setting.etcd_peer_port)
    return [etcd_door(host, "etcd", port) for port in ports] if "etcd" in host.groups else []


def rows(env: Environment, answers: Answers, now: float) -> Iterator[Row]:
    """Quorum and leader, as the members that answer report them."""
    hosts = [host.name for host in env.group("etcd")]
    if not hosts:
        return
    said = told(answers, "etcd", hosts)
    yield from unreachable_lines(answers, "etcd", hosts)
    agreeing = [answer for answer in said.values() if answer["agrees"]]
    leader = next((answer["leader"] for answer in agreeing if answer["leader"]), "")
    least = majority(len(hosts))
    value = f"{len(said)} of {len(hosts)} answer, " + (f"{leader} leads" if leader else "no leader")
    advice = ""
    if not agreeing:
        advice = "no quorum: PostgreSQL accepts no writes. Start etcd on the other hosts (systemctl start etcd)"
    elif len(said) < len(hosts):
        lost = ", ".join(sorted(set(hosts) - set(said)))
        advice = f"losing one more may stop PostgreSQL: bring {lost} back online"
    yield Row("etcd", "quorum", value, f"{least} agree, all answer", advice)
    for answer in agreeing[:1]:
        strange = sorted(set(answer["members"]) - set(hosts))
        learning = sorted(name for name, votes in answer["members"].items() if not votes)
        if strange or learning:
            value = ", ".join([*(f"{name} is not in the inventory" for name in strange),
                               *(f"{name} has no vote" for name in learning)])  # fmt: skip
            yield Row("etcd", "members", value, "as in the inventory", "run deploys/data.py")
    for name, answer in said.items():
        if answer["open"]:
            advice = f"ETCD_CLIENT_CERT_AUTH is off: see `systemctl cat etcd` on {name}, then run deploys/data.py"
            yield Row("etcd", name, "answers clients without a certificate", "none", advice)
        if answer["errors"]:
            errors = ", ".join(map(str, answer["errors"]))
            yield Row("etcd", name, errors, "", "see `etcdctl alarm list` there; NOSPACE: compact and defragment")
