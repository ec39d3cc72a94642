"""Rows about Redis: the primary of each instance as the Sentinels name it, and its replicas."""

from collections.abc import Iterator, Mapping
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.environment.quorum import majority
from nexus.run.row import Answers, Row, amount, condition, told, unreachable_lines
from roles.certificate.door import Door, door
from roles.redis.instance import INSTANCES
from roles.sentinel.plan import compared

SHARED = ("replication-state",)  # daily checks that these rows answer
Answer = Mapping[str, Any]


def question(env: Environment, host: Host) -> dict[str, Any]:
    """Each host asks its own Sentinel and servers."""
    return {"redis": compared(env, host)} if "redis" in host.groups else {}


def doors(env: Environment, host: Host) -> list[Door]:
    """The Sentinel; the servers are in the role redis."""
    return [door(host, "sentinel", host.setting.sentinel_port)] if "redis" in host.groups else []


def rows(env: Environment, answers: Answers, now: float) -> Iterator[Row]:
    """Both instances."""
    hosts = {host.name: host.address for host in env.group("redis")}
    if not hosts:
        return
    yield from unreachable_lines(answers, "redis", hosts)
    for one in INSTANCES:
        said = {name: answer[one.name] for name, answer in told(answers, "redis", hosts).items()}
        yield from _instance(env, one.name, hosts, said)


def _instance(env: Environment, instance: str, hosts: Mapping[str, str], said: Mapping[str, Answer]) -> Iterator[Row]:
    area, named = "redis", {address: name for name, address in hosts.items()}
    voices = [answer["primary"] for answer in said.values() if answer["primary"]]
    address = max(set(voices), key=voices.count, default="")
    primary, least = named.get(address, address), majority(len(hosts))
    masters = sorted(name for name, answer in said.items() if answer["server"]["role"] == "master")
    value = f"primary {primary or 'unknown'}, named by {voices.count(address)} of {len(hosts)} Sentinels"
    advice = ""
    if voices.count(address) < least:
        advice = "no majority agrees: start redis-sentinel where it does not answer, or run deploys/data.py"
    elif masters != [primary]:
        found = " and ".join(masters) or "none"
        advice = f"servers that say master: {found}. Give the Sentinels a minute, then run deploys/data.py"
    yield Row(area, instance, value, f"{least} agree", advice)
    for name, answer in said.items():
        if not answer["quorum"].startswith("OK"):
            text = answer["quorum"] or "watches no primary"
            yield Row(area, f"{instance} {name}", f"its Sentinel: {text}", "", "start the other Sentinels")
        if answer["stale"]:
            lost = ", ".join(answer["stale"])
            yield Row(area, f"{instance} {name}", f"knows {lost}, not in the inventory", "", "run deploys/data.py")
        yield from condition(area, f"{instance} {name}", answer["own"], "deploys/data.py resets it")
        if not answer["server"]["saves"]:
            yield Row(
                area, f"{instance} {name}", "could not save", "", "check the disk and the journal of redis-server there"
            )
    top = said.get(primary, {}).get("server", {}).get("offset", 0)
    for name in hosts:
        if name in said and name != primary:
            yield _replica(env, f"{instance} {name}", said[name]["server"], top)


def _replica(env: Environment, what: str, server: Answer, top: int) -> Row:
    most = int(env.setting.status_redis_lag_seconds)
    target = f"last contact at most {most} s ago"
    if server["role"] != "slave" or not server["linked"]:
        advice = "run deploys/data.py; see the journal of redis-server"
        return Row("redis", what, "has no link to the primary", target, advice)
    silent = int(server["silent_seconds"])
    value = f"replica, {amount(max(0, top - server['offset']))} behind, last contact {silent} s ago"
    late = "check its network and load; systemctl restart redis-server makes a new link" if silent > most else ""
    return Row("redis", what, value, target, late)
