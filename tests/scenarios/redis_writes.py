"""Writes to Redis as a service makes them, and which acknowledged writes were lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from control import Control

from roles.certificate.plan import CA
from roles.redis.instance import INSTANCES, PERSISTENT

WRITER = "session-mgr"
WRITERS = 8


@dataclass
class Writes:
    """A service on an app host, which writes to Redis as all services do."""

    platform: Control

    def request(self, **more: Any) -> dict[str, Any]:
        env = self.platform.planned
        return {
            "address": env.store("redis")[0],
            "port": PERSISTENT.proxy_port(env.setting),
            "ca": CA,
            "user": WRITER,
            "password": env.secret(f"redis/{WRITER}"),
            "prefix": f"{WRITER}:scenario:",
            **more,
        }

    def ask(self, **more: Any) -> Any:
        """The answer of the script on the first app host."""
        seconds = more.get("seconds", 60) + 60
        return self.platform.ask(self.platform.group("app")[0], "redis_load.py", self.request(**more), seconds)

    def begin(self, pool: ThreadPoolExecutor, seconds: float, **more: Any) -> Future[Any]:
        """Write for this long, in parallel to the test."""
        return pool.submit(self.ask, do="load", seconds=seconds, writers=WRITERS, **more)


def primary_of(platform: Control) -> str:
    """The host that most Sentinels name; empty when they do not agree."""
    master = PERSISTENT.master_name(platform.planned.catalogue)
    named = [said[0] for said in sentinels(platform, "get-master-addr-by-name", master).values() if said]
    for host in platform.planned.group("redis"):
        if named.count(host.address) * 2 > len(platform.group("redis")):
            return host.name
    return ""


def agreed(platform: Control) -> bool:
    """Whether each instance has one primary that the Sentinels agree on, and its replicas follow it."""
    for instance in INSTANCES:
        roles = _answers(platform, instance.socket, "ROLE")
        name = instance.master_name(platform.planned.catalogue)
        named = {said[0] for said in sentinels(platform, "get-master-addr-by-name", name).values() if said}
        primaries = [host.address for host in platform.planned.group("redis") if roles[host.name][:1] == ["master"]]
        replicas = [said for said in roles.values() if said[:1] == ["slave"]]
        followed = {said[1] for said in replicas if said[3] == "connected"}
        if len(primaries) != 1 or named != set(primaries) or not followed <= named:
            return False
        if len(replicas) != len(roles) - 1 or any(said[3] != "connected" for said in replicas):
            return False
    return True


def sentinels(platform: Control, *words: str) -> dict[str, list[str]]:
    """The answer of each host's Sentinel; nothing from a Sentinel that does not answer."""
    return _answers(platform, "/run/sentinel/sentinel.sock", f"SENTINEL {' '.join(words)}")


def _answers(platform: Control, socket: str, words: str) -> dict[str, list[str]]:
    def ask(name: str) -> list[str]:
        command = (
            f"sudo sh -c 'REDISCLI_AUTH=$(cat /etc/redis/admin.password) redis-cli -s {socket} "
            f"--user nexus-admin --no-auth-warning {words}'"
        )
        try:
            return platform.ssh(name, command, seconds=10).splitlines()
        except Exception:  # a host that is down, in whatever way
            return []

    return platform.everywhere(ask, platform.group("redis"))


def loss(writes: Writes, done: dict[str, Any]) -> list[float]:
    """Times of the acknowledged writes that were lost."""
    when = dict(map(tuple, done["acknowledged"]))
    gone = writes.ask(do="missing", keys=list(when))
    return sorted(when[key] for key in gone)


def longest_gap(entries: Iterable[Sequence[Any]]) -> float:
    """The longest time without an acknowledged write; each entry is [what, when]."""
    times = sorted(when for _, when in entries)
    return max(after - before for before, after in pairwise(times))
