"""PostgreSQL under damage, with writers that record acknowledged writes: none may ever be lost."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from conftest import Figure
from control import Control, Outcome
from database import Database
from load import Load, Written
from parallel_deploy import ParallelDeploy
from partition import cut_off

from nexus.provider import lab
from nexus.provider.lab.machine import wait_until

GAP_SECONDS = 45
CUT_SECONDS = 60
BEFORE_SECONDS = 5  # of undisturbed writes before the damage
AFTER_SECONDS = 8


@pytest.fixture
def database(control: Control, database: Database) -> Iterator[Database]:
    """A run after the test also finds nothing to change."""
    yield database
    database.wait_whole()
    again = control.run(deploy="deploys/data.py")
    assert again.status == 0, again.end
    assert again.changes == []


def nothing_lost(load: Load, what: str, figure: Figure, **marks: float) -> Written:
    """Every acknowledged write is present, and there were some; `marks` are the times of events in between."""
    written = load.written()
    moments = {name: written.through(name) for name in load.names}
    figure.timeline(f"PostgreSQL, {what}: writes acknowledged", moments, **marks)
    lost = load.lost(written)
    figure(f"PostgreSQL, {what}: acknowledged writes", len(written.acknowledged))
    figure(f"PostgreSQL, {what}: lost writes", len(lost))
    assert len(written.acknowledged) > 100, written.errors
    assert lost == []
    return written


def test_primary_killed(
    control: Control, database: Database, figure: Figure, full: bool, chance: random.Random
) -> None:
    """Kill Patroni and PostgreSQL with SIGKILL, several times."""
    gaps = []
    for number in range(1, (10 if full else 1) + 1):
        database.wait_whole()
        primary = database.primary()
        with Load(control) as load:
            time.sleep(BEFORE_SECONDS + chance.random())
            killed = time.time()
            control.ssh(primary, "sudo systemctl kill --signal=KILL patroni")
            deploy = ParallelDeploy(control) if number == 1 else None
            came_back = writes_again(load)
            assert came_back < GAP_SECONDS
            time.sleep(AFTER_SECONDS)
            if deploy:
                deploy.ended("PostgreSQL, primary killed", figure)
        what = f"primary killed, time {number}"
        gaps.append(nothing_lost(load, what, figure, killed=killed).longest_gap())
        assert gaps[-1] <= GAP_SECONDS
    figure("PostgreSQL, primary killed: longest gap", max(gaps))
    figure("PostgreSQL, primary killed: median of the gaps", statistics.median(gaps))


def writes_again(load: Load) -> float:
    """Seconds until a primary answers a statement through the proxy."""
    began = time.monotonic()
    load.sql("select 1", GAP_SECONDS)
    return time.monotonic() - began


@pytest.mark.full
def test_primarys_host_powered_off(control: Control, database: Database, figure: Figure) -> None:
    primary = database.primary()
    host = control.host(primary)
    with Load(control) as load:
        time.sleep(BEFORE_SECONDS)
        off = time.time()
        host.kill()
        try:
            deploy = ParallelDeploy(control)
            successor = database.wait_other(primary)
            time.sleep(AFTER_SECONDS)
            deploy.ended("PostgreSQL, primary's host off", figure)
        finally:
            on = time.time()
            host.start()
        back = database.wait_whole(180)
    written = nothing_lost(load, "primary's host off", figure, off=off, on_again=on)
    figure("PostgreSQL, primary's host off: gap", written.longest_gap())
    figure("PostgreSQL, primary's host off: from its start until it is a replica", back)
    assert written.longest_gap() <= GAP_SECONDS
    assert database.primary() == successor


@pytest.mark.full
def test_primary_cut_off(control: Control, database: Database, figure: Figure) -> None:
    """The primary is cut off from the other data hosts, but not from writers: only its successor may acknowledge."""
    primary = database.primary()
    others = [host for host in database.hosts if host != primary]
    with Load(control, also={"old": control.lab.host(primary).address}) as load:
        time.sleep(BEFORE_SECONDS)
        with cut_off(control, primary, others):
            cut, deploy = time.time(), ParallelDeploy(control)
            assert wait_until(lambda: leader_seen_by(database, others[0]) not in ("", primary), CUT_SECONDS, pause=0.5)
            time.sleep(max(0.0, cut + CUT_SECONDS - time.time()))
            healed = time.time()
        database.wait_whole()
        time.sleep(AFTER_SECONDS)
        deploy.ended("PostgreSQL, primary cut off", figure)
    written = nothing_lost(load, "primary cut off", figure, cut_off=cut, healed=healed)
    figure("PostgreSQL, primary cut off: gap", written.longest_gap())
    figure("PostgreSQL, primary cut off: writes with a warning", len(written.doubtful))
    assert written.longest_gap() <= GAP_SECONDS
    assert written.through("old"), "nothing was written past the proxy, so nothing is proven"
    after = [when for when in written.through("old") if cut + 1 < when < healed]
    assert after == [], f"{primary} acknowledged {len(after)} writes while it was cut off"


def deployed_bare(control: Control) -> Outcome:
    """A run that deploys everything that a bare host needs."""
    if control.group("edge"):
        return control.run()
    return control.run("deploys/data.py", deploy="deploys/base.py")


def leader_seen_by(database: Database, host: str) -> str:
    """The primary, as one host sees it."""
    only = Database(database.control)
    only.hosts = [host]
    return only.primary()


@pytest.mark.full
def test_etcd_loses_members(control: Control, database: Database, figure: Figure) -> None:
    """Without one member nothing happens. Without two nothing is acknowledged. With both back, nothing is lost."""
    primary = database.primary()
    first, second = (host for host in database.hosts if host != primary)
    with Load(control, seconds=300) as load:
        time.sleep(BEFORE_SECONDS)
        one = time.time()
        control.ssh(first, "sudo systemctl stop etcd")
        time.sleep(20)
        two = time.time()
        control.ssh(second, "sudo systemctl stop etcd")
        time.sleep(45)
        control.everywhere(lambda host: control.ssh(host, "sudo systemctl start etcd"), [first, second])
        back = time.time()
        database.wait_whole()
        writes_again(load)
        time.sleep(AFTER_SECONDS)
    marks = {"one_member_stopped": one, "a_second_one": two, "both_back": back}
    written = nothing_lost(load, "etcd without a quorum", figure, **marks)
    times = written.through("proxy")
    with_one_less = [when for when in times if one <= when < two]
    longest = max(later - sooner for sooner, later in pairwise(with_one_less))
    figure("PostgreSQL, etcd without one member: longest gap", longest)
    assert longest < 5, "the loss of one member was felt"
    steps_down = float(control.planned.setting.postgresql_ttl_seconds)
    stray = [when for when in times if two + steps_down < when < back]
    assert stray == [], f"{len(stray)} writes were acknowledged without a quorum"
    resumed = min(when for when in times if when > back) - back
    figure("PostgreSQL, etcd with a quorum again: time until writes", resumed)


@pytest.mark.full
def test_all_data_hosts_killed_at_once(control: Control, database: Database, figure: Figure) -> None:
    """The cluster recovers without a run. The kernel outlives a host here, so tests/hosts asserts durability."""
    with Load(control, seconds=300) as load:
        time.sleep(BEFORE_SECONDS)
        killed = time.time()
        control.everywhere(lambda name: control.host(name).kill(), database.hosts)
        for name in database.hosts:
            control.host(name).start()
        began = time.monotonic()
        database.wait_whole(180)
        figure("PostgreSQL, all data hosts killed: time until complete", time.monotonic() - began)
        writes_again(load)
        time.sleep(AFTER_SECONDS)
    nothing_lost(load, "all data hosts killed", figure, killed=killed)


@pytest.mark.full
def test_a_data_host_replaced(control: Control, database: Database, figure: Figure) -> None:
    """The primary's host is gone for good; a bare host with its name joins in one run, under load."""
    gone = database.primary()
    with Load(control, seconds=600) as load:
        time.sleep(BEFORE_SECONDS)
        removed = time.time()
        control.host(gone).remove()
        database.wait_other(gone)
        lab.up(control.lab)
        began = time.time()
        done = deployed_bare(control)
        assert done.status == 0, done.end
        database.wait_whole()
    nothing_lost(load, "a data host replaced", figure, removed=removed, run_begins=began)
    figure("PostgreSQL, a data host replaced: run", done.seconds)


WAL = "/var/lib/postgresql/17/main/pg_wal"
SMALLER = (
    f"systemctl stop patroni; mv {WAL} /var/lib/postgresql/wal; mkdir {WAL}; "
    "mount -t tmpfs -o mode=700,uid=$(id -u postgres),gid=$(id -g postgres),"
    f"size=$(($(du -sm /var/lib/postgresql/wal | cut -f1) + 64))m none {WAL}; "
    f"cp -a /var/lib/postgresql/wal/. {WAL}/; rm -r /var/lib/postgresql/wal; systemctl start patroni"
)
AS_BEFORE = f"rm -f {WAL}/filler; systemctl stop patroni; umount {WAL}; systemctl start patroni"


@pytest.fixture
def small(control: Control, database: Database) -> Iterator[str]:
    """A replica whose write-ahead log is on a small filesystem; afterwards it is like all others."""
    name = next(host for host in database.hosts if host != database.primary())
    control.ssh(name, f"sudo sh -ec '{SMALLER}'", seconds=120)
    database.wait_whole()
    yield name
    control.ssh(name, f"sudo sh -c '{AS_BEFORE}'", seconds=180)
    rebuilt = control.run(deploy="deploys/rebuild_replica.py", data={"host": name})
    assert rebuilt.status == 0, rebuilt.end


@pytest.mark.full
def test_disk_of_the_primary_full(control: Control, database: Database, small: str, figure: Figure) -> None:
    """Acknowledged writes stay, writes continue elsewhere or stop, and the status names the filesystem."""
    moved = control.run(deploy="deploys/failover.py", data={"to": small})
    assert moved.status == 0, moved.end
    with Load(control, seconds=240) as load:
        time.sleep(BEFORE_SECONDS)
        full = time.time()
        control.ssh(small, f"sudo sh -c 'head -c 10G /dev/zero > {WAL}/filler 2>/dev/null || true'")
        told = control.run(deploy="deploys/status.py")
        time.sleep(2 * GAP_SECONDS)
        successor = database.primary()
        emptied = time.time()
        control.ssh(small, f"sudo rm -f {WAL}/filler")
        database.wait_whole()
        writes_again(load)
        time.sleep(AFTER_SECONDS)
    written = nothing_lost(load, "disk of the primary full", figure, full=full, room_again=emptied)
    figure("PostgreSQL, disk of the primary full: longest gap", written.longest_gap())
    figure(
        "PostgreSQL, disk of the primary full: primary afterwards",
        "stayed" if successor == small else successor or "none",
    )
    assert told.status != 0
    assert f"{small} {WAL}" in told.output, told.end
    assert "free space on" in told.output
    if database.primary() == small:
        back = control.run(deploy="deploys/failover.py")
        assert back.status == 0, back.end
