"""Redis and RabbitMQ lose a host while they are written to: what was acknowledged stays, or the loss is bounded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from broker import SERVICE as PUBLISHER
from broker import Broker
from conftest import Figure
from control import Control
from partition import cut_off

from roles import lab
from roles.certificate.plan import CA
from roles.lab.machine import wait_until
from roles.redis.instance import PERSISTENT

WRITER = "session-mgr"
WRITERS = 8
WARM_SECONDS = 8.0
PROMOTED_SECONDS = 45.0  # until writes are acknowledged again
KILLED_LOSS_SECONDS = 1.0
REJOIN_SECONDS = 120.0
DATA = "deploys/data.py"


@dataclass
class Writes:
    """A service on an app host that writes to Redis the way all services do."""

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

    def begin(self, pool: ThreadPoolExecutor, seconds: float) -> Future[Any]:
        """Write for so long, beside the test."""
        return pool.submit(self.ask, do="load", seconds=seconds, writers=WRITERS)


def primary(platform: Control) -> str:
    """The host that most Sentinels name; empty where they do not agree."""
    master = PERSISTENT.master_name(platform.planned.catalogue)
    named = [said[0] for said in sentinels(platform, "get-master-addr-by-name", master).values() if said]
    for host in platform.planned.group("redis"):
        if named.count(host.address) * 2 > len(platform.group("redis")):
            return host.name
    return ""


def sentinels(platform: Control, *words: str) -> dict[str, list[str]]:
    """Answer of each host's Sentinel; nothing from one that is not there."""

    def ask(name: str) -> list[str]:
        command = (
            "sudo sh -c 'REDISCLI_AUTH=$(cat /etc/redis/admin.password) redis-cli -s /run/sentinel/sentinel.sock "
            f"--user nexus-admin --no-auth-warning SENTINEL {' '.join(words)}'"
        )
        try:
            return platform.ssh(name, command, seconds=10).splitlines()
        except Exception:  # a host that is down, in any of its ways
            return []

    return platform.everywhere(ask, platform.group("redis"))


def loss(writes: Writes, done: dict[str, Any]) -> list[float]:
    """Times of the acknowledged writes that are gone."""
    when = dict(map(tuple, done["acknowledged"]))
    gone = writes.ask(do="missing", keys=list(when))
    return sorted(when[key] for key in gone)


def longest_gap(entries: Iterable[Sequence[Any]]) -> float:
    """The longest time without anything acknowledged, of [what, when] each."""
    times = sorted(when for _, when in entries)
    return max(after - before for before, after in pairwise(times))


def settled(platform: Control) -> None:
    """A run finds every data host in its place and nothing to do."""
    done = platform.run(deploy=DATA)
    assert done.status == 0, done.end
    again = platform.run(deploy=DATA)
    assert (again.status, again.changes) == (0, []), again.end


def under_load(platform: Control, seconds: float, damage: Callable[[str], float]) -> tuple[Any, list[float], float]:
    """What was acknowledged, times of what was lost, and when the damage to the primary's host was done."""
    writes = Writes(platform)
    old = primary(platform)
    assert old, sentinels(platform, "masters")
    with ThreadPoolExecutor(1) as pool:
        load = writes.begin(pool, seconds)
        time.sleep(WARM_SECONDS)
        when = damage(old)
        done = load.result()
    assert len(done["acknowledged"]) > 1000, done["refusals"]
    assert done["acknowledged"][-1][1] > when + 5, f"no write after the damage: {done['refusals']}"
    assert primary(platform) not in ("", old)
    return done, loss(writes, done), when


def test_redis_primary_killed(platform: Control, figure: Figure) -> None:
    killed = ""

    def kill(old: str) -> float:
        nonlocal killed
        killed, when = old, time.time()
        platform.host(old).kill()
        return when

    try:
        done, lost, when = under_load(platform, WARM_SECONDS + PROMOTED_SECONDS, kill)
    finally:
        platform.host(killed).start()
    figure("redis: primary's host killed: acknowledged writes", len(done["acknowledged"]))
    figure("redis: primary's host killed: lost", len(lost))
    figure("redis: primary's host killed: longest gap", longest_gap(done["acknowledged"]))
    early = [moment - when for moment in lost if moment < when - KILLED_LOSS_SECONDS]
    assert not early, f"lost though acknowledged long before: {early[:10]}"
    assert longest_gap(done["acknowledged"]) < PROMOTED_SECONDS
    assert wait_until(lambda: platform.host(killed).answers(), REJOIN_SECONDS, pause=1)
    settled(platform)
    assert primary(platform) not in ("", killed)


def test_redis_primary_cut_off(platform: Control, figure: Figure) -> None:
    """The worst case: the services still reach the old primary, the other data hosts do not."""
    bound = platform.planned.setting.redis_replica_lag_seconds + 1

    def cut(old: str) -> float:
        others = [name for name in platform.group("redis") if name != old]
        with cut_off(platform, old, others):
            when = time.time()
            time.sleep(30)
        return when

    done, lost, when = under_load(platform, WARM_SECONDS + 30 + PROMOTED_SECONDS, cut)
    figure("redis: primary cut off: acknowledged writes", len(done["acknowledged"]))
    figure("redis: primary cut off: lost", len(lost))
    figure("redis: primary cut off: longest gap", longest_gap(done["acknowledged"]))
    if lost:
        figure("redis: primary cut off: last lost after the cut", lost[-1] - when)
    outside = [moment - when for moment in lost if not -KILLED_LOSS_SECONDS < moment - when < bound]
    assert not outside, f"lost beyond the {bound} s that an isolated primary may acknowledge: {outside[:10]}"
    settled(platform)


def test_rabbitmq_node_killed(platform: Control, figure: Figure) -> None:
    broker = Broker(platform)
    broker.declare()
    lost = leader(platform)
    broker.publish(3)
    try:
        time.sleep(WARM_SECONDS)
        before = len(broker.confirmed)
        platform.host(lost).kill()
        time.sleep(PROMOTED_SECONDS)
        after = len(broker.confirmed)
    finally:
        broker.stop()
        platform.host(lost).start()
    assert before > 100
    assert after > before + 100, "nothing was confirmed without the node"
    found = broker.drain()
    missing = [identity for identity, _ in broker.confirmed if identity not in found]
    figure("rabbitmq: node killed: confirmed messages", len(broker.confirmed))
    figure("rabbitmq: node killed: lost", len(missing))
    figure("rabbitmq: node killed: longest gap", longest_gap(broker.confirmed))
    assert missing == []
    assert wait_until(lambda: platform.host(lost).answers(), REJOIN_SECONDS, pause=1)
    assert wait_until(lambda: members(platform) == len(platform.group("rabbitmq")), REJOIN_SECONDS, pause=2)
    settled(platform)


def leader(platform: Control) -> str:
    """The host whose node leads the scenario's queue."""
    command = f"sudo rabbitmqctl -q list_queues -p {PUBLISHER} name leader"
    rows = [line.split() for line in platform.ssh(platform.group("rabbitmq")[0], command).splitlines()]
    return dict(row for row in rows if len(row) == 2)["scenario"].removeprefix("rabbit@")


def members(platform: Control) -> int:
    """How many nodes of RabbitMQ run, as the first host's says; 0 while it cannot say."""
    ask = "sudo rabbitmqctl -q eval 'length(rabbit_nodes:list_running()).'"
    try:
        return int(platform.ssh(platform.group("rabbitmq")[0], ask))
    except (RuntimeError, ValueError):
        return 0


def test_a_data_host_is_replaced_by_a_new_one(platform: Control, figure: Figure) -> None:
    """The first of the inventory, which is the one that decides where nobody else knows."""
    gone = platform.group("redis")[0]
    writes = Writes(platform)
    done = writes.ask(do="load", seconds=3, writers=2)
    broker = Broker(platform)
    broker.declare()
    platform.host(gone).remove()
    assert wait_until(lambda: primary(platform) not in ("", gone), PROMOTED_SECONDS, pause=1)
    lab.up(platform.lab)
    began = time.monotonic()
    for deploy in ("deploys/base.py", DATA):
        outcome = platform.run(deploy=deploy)
        assert outcome.status == 0, outcome.end
    figure("redis and rabbitmq: a data host replaced, until its run ended", time.monotonic() - began)
    settled(platform)
    assert all(said[0].startswith("OK 3 usable") for said in sentinels(platform, "ckquorum", "mymaster").values())
    assert members(platform) == len(platform.group("rabbitmq"))
    assert loss(writes, done) == []
