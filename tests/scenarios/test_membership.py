"""Clusters shrink from three members to one and grow again, each by an edit of the inventory and one run under load."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from broker import Broker
from conftest import Figure
from control import Control
from database import Database
from edited import STORES, Edited
from load import Load
from redis_writes import Writes, agreed, loss, primary_of

from nexus.provider.lab.machine import wait_until

BEFORE_SECONDS, AFTER_SECONDS = 5, 8
FORGOTTEN_SECONDS = 60  # until Patroni no longer lists a stopped member
DISK_LIMIT = "rabbit_disk_monitor:get_disk_free_limit()."
STOPPED_SECONDS = 60  # at most, without a write, while members join or leave


@pytest.fixture
def edited(control: Control, tmp_path: Path) -> Iterator[Edited]:
    """Three hosts of every store, complete before and after."""
    database = Database(control)
    if len(database.hosts) < 3:
        pytest.skip(f"{control.name} has {len(database.hosts)} host of PostgreSQL: nothing can leave")
    database.wait_whole()
    found = Edited(control, tmp_path)
    yield found
    found.back()
    found.run()
    database.wait_whole()


def running(control: Control, host: str) -> list[str]:
    """The store daemons that run on a host."""
    units = ("etcd", "patroni", "pgbouncer", "redis-server", "redis-server@cache", "redis-sentinel", "rabbitmq-server")
    said = control.ssh(host, f"systemctl is-active {' '.join(units)} || true").split()
    return [unit for unit, state in zip(units, said, strict=True) if state == "active"]


def test_redis_shrinks_to_one_host_and_grows_to_three(control: Control, edited: Edited, figure: Figure) -> None:
    """The primary leaves after handing over its data, and returns as a replica."""
    writes, primary, hosts = Writes(control), primary_of(control), control.group("redis")
    stays = next(name for name in hosts if name != primary)
    before = writes.ask(do="load", seconds=3, writers=2)
    edited.hosts(stays, stores=("redis",))
    shrunk = edited.run()
    figure("members: three of Redis become one: run", shrunk.seconds)
    assert "its data stays in /var/lib/redis" in shrunk.output
    daemons = {"redis-server", "redis-server@cache", "redis-sentinel"}
    left = {name: daemons & set(running(control, name)) for name in hosts}
    assert left == {name: daemons if name == stays else set() for name in hosts}
    assert edited.run().changes == []
    alone = writes.ask(do="load", seconds=3, writers=2)
    edited.hosts(*hosts, stores=("redis",))
    grown = edited.run()
    figure("members: one of Redis becomes three: run", grown.seconds)
    assert wait_until(lambda: agreed(control), FORGOTTEN_SECONDS, pause=1)
    assert primary_of(control) == stays
    for written in (before, alone):
        assert len(written["acknowledged"]) > 100
        assert loss(writes, written) == []
    assert edited.run().changes == []


@pytest.mark.full
def test_all_stores_shrink_to_one_host_and_grow_to_three(control: Control, edited: Edited, figure: Figure) -> None:
    """The host that stays was not a primary of any store before."""
    database = Database(control)
    primaries = {database.primary(), primary_of(control)}
    stays = next(name for name in reversed(database.hosts) if name not in primaries)
    leave = [name for name in database.hosts if name != stays]
    writes = Writes(control)
    written = writes.ask(do="load", seconds=3, writers=2)
    broker = Broker(control)
    broker.declare()
    broker.publish(1)
    try:
        with Load(control, seconds=420) as load:
            time.sleep(BEFORE_SECONDS)
            edited.hosts(stays)
            began = time.time()
            shrunk = edited.run()
            time.sleep(AFTER_SECONDS)
            figure("members: three become one: run", shrunk.seconds)
            assert not any(running(control, name) for name in leave)
            for store in STORES:
                assert f"its data stays in /var/lib/{store}" in shrunk.output
            only = Database(control)
            only.hosts = [stays]
            assert wait_until(lambda: set(only.members()) == {stays}, FORGOTTEN_SECONDS, pause=1), only.members()
            assert etcd_members(control, stays) == [stays]
            again = edited.run()
            assert again.changes == []
            edited.hosts(*database.hosts)
            grown = edited.run()
            figure("members: one becomes three: run", grown.seconds)
            database.wait_whole()
            ended = time.time()
            time.sleep(AFTER_SECONDS)
    finally:
        broker.stop()
    found = load.written()
    broker_times = [when for _, when in broker.confirmed]
    series = {"PostgreSQL": found.through("proxy"), "RabbitMQ": broker_times}
    figure.timeline("Three become one and three again: acknowledged", series, run=began, ended=ended)
    gaps = [when for when in found.through("proxy") if began - 1 < when < ended + AFTER_SECONDS]
    longest = max(later - sooner for sooner, later in pairwise(gaps))
    figure("members: longest gap of PostgreSQL", longest)
    figure("members: writes acknowledged by PostgreSQL", len(found.acknowledged))
    assert load.lost(found) == []
    assert loss(writes, written) == []
    held = broker.drain()
    missing = [identity for identity, _ in broker.confirmed if identity not in held]
    figure("members: messages confirmed by RabbitMQ", len(broker.confirmed))
    assert missing == []
    assert longest < STOPPED_SECONDS
    assert edited.run().changes == []


def etcd_members(control: Control, host: str) -> list[str]:
    """Names of etcd's members, as one host lists them."""
    place = "/etc/nexus-cos/etcd"
    flags = f"--cacert={place}/ca.pem --cert={place}/leaf.pem --key={place}/leaf.key"
    rows = control.ssh(host, f"sudo etcdctl {flags} --endpoints=https://127.0.0.1:2379 member list").splitlines()
    return sorted(row.split(", ")[2] for row in rows)


@pytest.mark.full
def test_a_dead_host_is_replaced_by_one_of_another_name(control: Control, edited: Edited, figure: Figure) -> None:
    """The dead host was the primary's, and the new host takes its place in the inventory.

    The run that replaces it also changes a setting that restarts RabbitMQ, as a newer checkout does: with one of three
    nodes dead, no node may stop before the new one has joined.
    """
    database = Database(control)
    gone, other = database.primary(), "data9"
    setting = {"rabbitmq_disk_free_limit_mb": 400}
    hosts = [other if name == gone else name for name in database.hosts]
    with Load(control, seconds=400) as load:
        time.sleep(BEFORE_SECONDS)
        removed = time.time()
        control.host(gone).remove()
        successor = database.wait_other(gone)
        edited.replace(gone, other)
        done = edited.run(**setting)
        figure("members: a dead host replaced by one with another name: run", done.seconds)
        time.sleep(AFTER_SECONDS)
    acknowledged = {"PostgreSQL": load.written().through("proxy")}
    figure.timeline("A dead host replaced by one of another name: acknowledged", acknowledged, removed=removed)
    there = Database(edited.control)
    there.hosts = [successor]
    assert sorted(there.members()) == sorted(hosts)
    assert etcd_members(control, successor) == sorted(hosts)
    assert load.lost(load.written()) == []
    limits = [control.ssh(name, f"sudo rabbitmqctl -q eval '{DISK_LIMIT}'").strip() for name in hosts if name != other]
    assert set(limits) == {"400000000"}
    assert edited.run(**setting).changes == []
