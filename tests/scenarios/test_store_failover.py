"""Redis and RabbitMQ lose a host under load: acknowledged writes survive, or the loss is bounded."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from broker import SERVICE as PUBLISHER
from broker import Broker
from conftest import Figure
from control import Control
from parallel_deploy import ParallelDeploy
from partition import cut_off
from redis_writes import Writes, longest_gap, loss, primary_of, sentinels

from nexus.provider import lab
from nexus.provider.lab.machine import wait_until

WARM_SECONDS = 8.0
PROMOTED_SECONDS = 45.0  # until writes are acknowledged again
KILLED_LOSS_SECONDS = 1.0
REJOIN_SECONDS = 120.0
DATA = "deploys/data.py"


def settled(platform: Control) -> None:
    """Deploy the data hosts until a run finds nothing to change."""
    done = platform.run(deploy=DATA)
    assert done.status == 0, done.end
    again = platform.run(deploy=DATA)
    assert (again.status, again.changes) == (0, []), again.end


def under_load(platform: Control, seconds: float, damage: Callable[[str], float]) -> tuple[Any, list[float], float]:
    """Acknowledged writes, times of lost writes, and the time of the damage to the primary's host."""
    writes = Writes(platform)
    old = primary_of(platform)
    assert old, sentinels(platform, "masters")
    with ThreadPoolExecutor(1) as pool:
        load = writes.begin(pool, seconds)
        time.sleep(WARM_SECONDS)
        when = damage(old)
        done = load.result()
    assert len(done["acknowledged"]) > 1000, done["refusals"]
    assert done["acknowledged"][-1][1] > when + 5, f"no write after the damage: {done['refusals']}"
    assert primary_of(platform) not in ("", old)
    return done, loss(writes, done), when


def test_redis_primary_killed(control: Control, figure: Figure) -> None:
    killed, deploys = "", list[ParallelDeploy]()

    def kill(old: str) -> float:
        nonlocal killed
        killed, when = old, time.time()
        control.host(old).kill()
        deploys.append(ParallelDeploy(control))
        return when

    try:
        done, lost, when = under_load(control, WARM_SECONDS + PROMOTED_SECONDS, kill)
        deploys[0].ended("redis: primary's host killed", figure)
    finally:
        control.host(killed).start()
    series = {"acknowledged": [at for _, at in done["acknowledged"]], "lost": lost}
    figure.timeline("Redis, primary's host killed: writes acknowledged", series, killed=when)
    figure("redis: primary's host killed: acknowledged writes", len(done["acknowledged"]))
    figure("redis: primary's host killed: lost writes", len(lost))
    figure("redis: primary's host killed: longest gap", longest_gap(done["acknowledged"]))
    early = [moment - when for moment in lost if moment < when - KILLED_LOSS_SECONDS]
    assert not early, f"lost though acknowledged long before: {early[:10]}"
    assert longest_gap(done["acknowledged"]) < PROMOTED_SECONDS
    assert wait_until(lambda: control.host(killed).answers(), REJOIN_SECONDS, pause=1)
    settled(control)
    assert primary_of(control) not in ("", killed)


@pytest.mark.full
def test_redis_primary_cut_off(control: Control, figure: Figure) -> None:
    """The worst case: the services still reach the old primary, but the other data hosts do not."""
    deploys: list[ParallelDeploy] = []
    bound = control.planned.setting.redis_replica_lag_seconds + 1

    def cut(old: str) -> float:
        others = [name for name in control.group("redis") if name != old]
        with cut_off(control, old, others):
            when = time.time()
            deploys.append(ParallelDeploy(control))
            time.sleep(30)
        return when

    done, lost, when = under_load(control, WARM_SECONDS + 30 + PROMOTED_SECONDS, cut)
    deploys[0].ended("redis: primary cut off", figure)
    series = {"acknowledged": [at for _, at in done["acknowledged"]], "lost": lost}
    figure.timeline("Redis, primary cut off: writes acknowledged", series, cut_off=when, healed=when + 30)
    figure("redis: primary cut off: acknowledged writes", len(done["acknowledged"]))
    figure("redis: primary cut off: lost writes", len(lost))
    figure("redis: primary cut off: longest gap", longest_gap(done["acknowledged"]))
    if lost:
        figure("redis: primary cut off: last lost write, after the cut", lost[-1] - when)
    outside = [moment - when for moment in lost if not -KILLED_LOSS_SECONDS < moment - when < bound]
    assert not outside, f"lost beyond the {bound} s that an isolated primary may acknowledge: {outside[:10]}"
    settled(control)


@pytest.mark.full
def test_rabbitmq_node_killed(control: Control, figure: Figure) -> None:
    broker = Broker(control)
    broker.declare()
    lost = leader(control)
    broker.publish(3)
    try:
        time.sleep(WARM_SECONDS)
        before, killed = len(broker.confirmed), time.time()
        control.host(lost).kill()
        deploy = ParallelDeploy(control)
        time.sleep(PROMOTED_SECONDS)
        deploy.ended("rabbitmq: node killed", figure)
        after = len(broker.confirmed)
    finally:
        broker.stop()
        control.host(lost).start()
    assert before > 100
    assert after > before + 100, "nothing was confirmed without the node"
    found = broker.drain()
    missing = [identity for identity, _ in broker.confirmed if identity not in found]
    figure.timeline(
        "RabbitMQ, node killed: messages confirmed", {"confirmed": [at for _, at in broker.confirmed]}, killed=killed
    )
    figure("rabbitmq: node killed: confirmed messages", len(broker.confirmed))
    figure("rabbitmq: node killed: lost messages", len(missing))
    figure("rabbitmq: node killed: longest gap", longest_gap(broker.confirmed))
    assert missing == []
    assert wait_until(lambda: control.host(lost).answers(), REJOIN_SECONDS, pause=1)
    assert wait_until(lambda: members(control) == len(control.group("rabbitmq")), REJOIN_SECONDS, pause=2)
    settled(control)


@pytest.mark.full
def test_rabbitmq_sides_of_a_partition(control: Control, figure: Figure) -> None:
    """A node that loses contact for a moment: both sides keep running, and the next run joins them."""
    apart = control.group("rabbitmq")[-1]
    control.ssh(apart, "sudo rabbitmqctl -q eval '[erlang:disconnect_node(N) || N <- nodes()].'")
    assert wait_until(lambda: len(sides(control)) > 1, REJOIN_SECONDS, pause=1), "no partition came of it"
    told = control.run(deploy="deploys/status.py")
    done = control.run(deploy=DATA)
    assert done.status == 0, done.end
    figure("rabbitmq: partition: the run that joined both sides", done.seconds)
    assert f"{apart} was partitioned from" in done.output.replace("rabbit@", ""), done.end
    assert len(sides(control)) == 1, sides(control)
    assert told.status != 0
    assert "does not see" in told.output, told.end
    broker = Broker(control)
    broker.declare()
    listing = f"sudo rabbitmqctl -q list_queues -p {PUBLISHER} name"
    known = {name: control.ssh(name, listing).split() for name in control.group("rabbitmq")}
    assert all("scenario" in queues for queues in known.values()), known
    broker.drain()
    settled(control)


def sides(platform: Control) -> set[str]:
    """The groups of running nodes that the nodes report; one group if there is no partition."""
    ask = "sudo rabbitmqctl -q eval 'lists:sort(mnesia:system_info(running_db_nodes)).'"
    return {platform.ssh(host, ask).strip() for host in platform.group("rabbitmq")}


def leader(platform: Control) -> str:
    """The host whose node leads the queue of the scenario."""
    command = f"sudo rabbitmqctl -q list_queues -p {PUBLISHER} name leader"
    rows = [line.split() for line in platform.ssh(platform.group("rabbitmq")[0], command).splitlines()]
    return dict(row for row in rows if len(row) == 2)["scenario"].removeprefix("rabbit@")


def members(platform: Control) -> int:
    """The number of RabbitMQ nodes that run, as the first host reports; 0 while it does not answer."""
    ask = "sudo rabbitmqctl -q eval 'length(rabbit_nodes:list_running()).'"
    try:
        return int(platform.ssh(platform.group("rabbitmq")[0], ask))
    except (RuntimeError, ValueError):
        return 0


@pytest.mark.full
def test_a_data_host_is_replaced_by_a_new_one(control: Control, figure: Figure) -> None:
    """It is the first host of the inventory, which decides where no other host knows."""
    gone = control.group("redis")[0]
    writes = Writes(control)
    done = writes.ask(do="load", seconds=3, writers=2)
    broker = Broker(control)
    broker.declare()
    control.host(gone).remove()
    assert wait_until(lambda: primary_of(control) not in ("", gone), PROMOTED_SECONDS, pause=1)
    lab.up(control.lab)
    began = time.monotonic()
    for deploy in ("deploys/base.py", DATA):
        outcome = control.run(deploy=deploy)
        assert outcome.status == 0, outcome.end
    figure("redis and rabbitmq: a data host replaced, end of its run", time.monotonic() - began)
    settled(control)
    assert all(said[0].startswith("OK 3 usable") for said in sentinels(control, "ckquorum", "mymaster").values())
    assert members(control) == len(control.group("rabbitmq"))
    assert loss(writes, done) == []
