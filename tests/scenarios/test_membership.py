"""Clusters of three become one and three again: an edit of the inventory and one run each, while others write."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from broker import Broker
from conftest import Figure
from control import Control, Outcome, copy_of_project
from database import Database
from load import Load
from redis_writes import Writes, loss, primary_of

STORES = ("etcd", "postgresql", "redis", "rabbitmq")
BEFORE_SECONDS, AFTER_SECONDS = 5, 8
STOPPED_SECONDS = 60  # without a write, at most, while members come or go


class Edited:
    """A checkout of its own, whose inventory the test edits."""

    def __init__(self, control: Control, directory: Path) -> None:
        project = copy_of_project(directory / "checkout", environment=control.name)
        self.control = Control(control.name, project)
        self.inventory = project / "inventory" / f"{control.name}.py"
        self.before = self.inventory.read_text()

    def hosts(self, *names: str) -> None:
        """Let every store run on these hosts."""
        text = self.before
        for store in STORES:
            line = f"{store} = [{', '.join(repr(name) for name in names)}]"
            text, count = re.subn(rf"^{store} = \[[^]]*\]", line, text, flags=re.MULTILINE)
            assert count == 1, store
        self.inventory.write_text(text)

    def run(self) -> Outcome:
        """One run of both layers, which has to succeed."""
        done = self.control.run("deploys/data.py", deploy="deploys/base.py")
        assert done.status == 0, done.end
        return done


@pytest.fixture
def edited(control: Control, tmp_path: Path) -> Iterator[Edited]:
    """Three hosts of every store, whole before and after."""
    database = Database(control)
    if len(database.hosts) < 3:
        pytest.skip(f"{control.name} has {len(database.hosts)} host of PostgreSQL: nothing can leave")
    database.wait_whole()
    found = Edited(control, tmp_path)
    yield found
    found.hosts(*database.hosts)
    found.run()
    database.wait_whole()


def running(control: Control, host: str) -> list[str]:
    """Daemons of stores that run on a host."""
    units = ("etcd", "patroni", "pgbouncer", "redis-server", "redis-server@cache", "redis-sentinel", "rabbitmq-server")
    said = control.ssh(host, f"systemctl is-active {' '.join(units)} || true").split()
    return [unit for unit, state in zip(units, said, strict=True) if state == "active"]


def test_three_become_one_and_three_again(control: Control, edited: Edited, figure: Figure) -> None:
    """The one that stays is no primary of anything before."""
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
            assert set(only.members()) == {stays}
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
    gaps = [when for when in found.through("proxy") if began - 1 < when < ended + AFTER_SECONDS]
    longest = max(later - sooner for sooner, later in pairwise(gaps))
    figure("members: longest gap of PostgreSQL", longest)
    figure("members: PostgreSQL acknowledged", len(found.acknowledged))
    assert load.lost(found) == []
    assert loss(writes, written) == []
    held = broker.drain()
    missing = [identity for identity, _ in broker.confirmed if identity not in held]
    figure("members: RabbitMQ confirmed", len(broker.confirmed))
    assert missing == []
    assert longest < STOPPED_SECONDS
    assert edited.run().changes == []


def etcd_members(control: Control, host: str) -> list[str]:
    """Names of etcd's members as one host lists them."""
    place = "/etc/nexus-cos/etcd"
    flags = f"--cacert={place}/ca.pem --cert={place}/leaf.pem --key={place}/leaf.key"
    rows = control.ssh(host, f"sudo etcdctl {flags} --endpoints=https://127.0.0.1:2379 member list").splitlines()
    return sorted(row.split(", ")[2] for row in rows)

