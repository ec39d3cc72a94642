"""Lost data is restored: rows of one service, all data hosts; a damaged backup is detected."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from administrator import broker, broker_api, redis_cli
from backup_bucket import bucket
from conftest import Figure
from control import Control, Outcome
from database import Database

from nexus.provider import lab
from nexus.provider.lab.machine import wait_until
from roles.storage.host.s3 import Bucket
from roles.storage.plan import server

AWAY_SECONDS = 40  # the storage of a backup, which takes 13 to 25 s here
AGAIN_SECONDS = 300  # a failed backup is repeated after one minute, and may take another
RPO_SECONDS, RTO_SECONDS = 3600, 4 * 3600  # operations.yaml, disaster_recovery
SAVED, LATER = 1000, 200  # rows in the backup, and rows that are only in the log
TABLE = "restore_scenario"


@dataclass
class Store:
    """PostgreSQL of an environment, queried as superuser on the current primary."""

    control: Control
    database: Database

    def sql(self, name: str, text: str, seconds: float = 60) -> list[str]:
        """Lines of a statement's answer."""
        return self.database.sql(name, text, seconds)

    def count(self, name: str) -> int:
        return int(self.sql(name, f"select count(*) from {TABLE}")[0])

    def fill(self, name: str, owner: str, first: int, rows: int) -> None:
        """Write rows that the service owns, as its own rows are."""
        numbers = f"generate_series({first}, {first + rows - 1}) n"
        create = f"create table if not exists {TABLE} (id int primary key, said text, at timestamptz default now())"
        self.sql(name, f"set role {owner}; {create}; insert into {TABLE} select n, md5(n::text) from {numbers}")


@pytest.fixture
def store(control: Control) -> Iterator[Store]:
    """A complete cluster with backups; the databases of two services have no tables of this scenario."""
    if not server(control.planned):
        pytest.skip(f"{control.name} has no object storage of its own")
    found = Store(control, Database(control))
    found.database.wait_whole()
    for name in names(control):
        found.sql(name, f"drop table if exists {TABLE}")
    yield found
    found.database.wait_whole()
    for name in names(control):
        found.sql(name, f"drop table if exists {TABLE}")


def names(control: Control) -> list[str]:
    """Databases of two services; the login that owns a database has the same name."""
    return [service.database for service in control.planned.catalogue.services_of_store("postgresql")[:2]]


def done(outcome: Outcome) -> Outcome:
    """The run, which must succeed."""
    assert outcome.status == 0, outcome.end
    return outcome


def record(control: Control) -> dict[str, Any]:
    """What the last backup of PostgreSQL says of itself."""
    with bucket(control) as within:
        return dict(json.loads(within.get("status/postgresql.json")))


def test_deleted_rows_of_one_service(store: Store, control: Control, figure: Figure) -> None:
    """The database goes back to just before the delete; writes of another service since then stay."""
    service = control.planned.catalogue.services_of_store("postgresql")[0].name
    damaged, other = names(control)
    for name in (damaged, other):
        store.fill(name, name, 1, SAVED)
    done(control.run(deploy="deploys/backup.py", data={"store": "postgresql"}))
    store.fill(damaged, damaged, SAVED + 1, LATER)
    time.sleep(1.5)
    before = store.sql("postgres", "select to_char(now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")[0]
    time.sleep(1.5)
    store.sql(damaged, f"delete from {TABLE} where id > 10")
    store.fill(other, other, SAVED + 1, LATER)
    data = {"service": service, "to": before, "replace": True}
    dry = done(control.run("--dry", deploy="deploys/restore.py", data=data))
    assert f"would 1/3: Restore database {damaged}" in dry.output
    assert store.count(damaged) == 10, "a dry run changed something"
    restored = done(control.run(deploy="deploys/restore.py", data=data))
    figure("PostgreSQL: one database restored to just before a delete", restored.seconds)
    assert store.count(damaged) == SAVED + LATER
    assert store.count(other) == SAVED + LATER
    aside = store.sql("postgres", f"select datname from pg_database where datname like '{damaged}_before_%'")
    assert [store.count(name) for name in aside] == [10]
    again = done(control.run(deploy="deploys/data.py"))
    assert again.changes == [], "a restored database is not as planned"
    for name in aside:
        store.sql("postgres", f'drop database "{name}"')


@pytest.mark.full
def test_a_restore_makes_a_copy_by_default(store: Store, control: Control) -> None:
    service = control.planned.catalogue.services_of_store("postgresql")[0].name
    damaged, _ = names(control)
    store.fill(damaged, damaged, 1, SAVED)
    restored = done(control.run(deploy="deploys/restore.py", data={"service": service}))
    assert f"database {damaged}_restored: 1 tables, {SAVED} rows" in restored.output
    again = control.run(deploy="deploys/restore.py", data={"service": service})
    assert again.status != 0
    assert f"there is a database {damaged}_restored already" in again.output
    store.sql("postgres", f"drop database {damaged}_restored")


@pytest.mark.full
def test_a_damaged_backup_is_named(store: Store, control: Control, figure: Figure) -> None:
    """The backup is made on a primary that was a replica before: its settings differ from those of a first primary."""
    done(control.run(deploy="deploys/failover.py"))
    store.database.wait_whole()
    for name in names(control):
        store.fill(name, name, 1, SAVED)
    done(control.run(deploy="deploys/backup.py", data={"type": "full"}))
    proven = done(control.run(deploy="deploys/restore_test.py"))
    figure("restore test of every backup", proven.seconds)
    for prefix in ("postgres/backup/", "rabbitmq/"):
        with bucket(control) as within:
            key = newest(within, prefix)
            whole = within.get(key)
            within.put(key, damaged(whole))
        failed = control.run(deploy="deploys/restore_test.py")
        with bucket(control) as within:
            within.put(key, whole)
        assert failed.status != 0, f"{key} is damaged, and the test did not notice"
        assert key in failed.output, failed.end
    done(control.run(deploy="deploys/restore_test.py"))


@pytest.mark.full
@pytest.mark.parametrize("moment", ["its storage is away", "it is ended"])
def test_a_disturbed_backup_is_still_made(store: Store, control: Control, figure: Figure, moment: str) -> None:
    """The timer's unit waits for its storage, or is started again; no unit has failed at the end."""
    host, keeper = store.database.primary(), server(control.planned)
    unit = control.planned.catalogue.operations.backups.service
    assert keeper

    def comes_to(*states: str) -> bool:
        return wait_until(lambda: state(control, host, unit) in states, AGAIN_SECONDS, pause=0.5)

    assert comes_to("inactive dead"), f"{unit}: {state(control, host, unit)}"
    before = record(control)["label"]
    began = time.monotonic()
    if moment == "it is ended":
        control.ssh(host, f"sudo systemctl start --no-block {unit}")
        assert comes_to("activating start"), state(control, host, unit)
        control.ssh(host, f"sudo systemctl kill --signal=KILL {unit}")
        assert comes_to("activating auto-restart"), state(control, host, unit)
    else:
        # A connection to the socket starts the server again, even while it stops.
        control.ssh(keeper.name, "sudo systemctl stop seaweedfs-front.socket seaweedfs-front seaweedfs")
        try:
            control.ssh(host, f"sudo systemctl start --no-block {unit}")
            time.sleep(AWAY_SECONDS)
            assert state(control, host, unit) in ("activating start", "activating auto-restart")
        finally:
            control.ssh(keeper.name, "sudo systemctl start seaweedfs seaweedfs-front.socket")
    assert comes_to("inactive dead"), f"{unit}: {state(control, host, unit)}"
    figure(f"a backup while {moment}: time until made", time.monotonic() - began)
    made = record(control)
    assert made["ok"], made["error"]
    assert made["label"] != before


def state(control: Control, host: str, unit: str) -> str:
    """The state of a unit on a host, such as "activating auto-restart"."""
    return control.ssh(host, f"systemctl show -P ActiveState -P SubState {unit}").replace("\n", " ").strip()


def damaged(whole: bytes) -> bytes:
    """The content with a few bytes in the middle inverted."""
    begin = len(whole) // 2
    return whole[:begin] + bytes(byte ^ 255 for byte in whole[begin : begin + 64]) + whole[begin + 64 :]


def newest(within: Bucket, prefix: str) -> str:
    """The largest data file of the newest backup; otherwise the newest file."""
    found = [(key, size) for key, size in within.list(prefix) if "backup.manifest" not in key]
    if not prefix.startswith("postgres"):
        return found[-1][0]
    labels = sorted({key.split("/")[3] for key, _ in found if key.split("/")[3][:1].isdigit()})
    return max((size, key) for key, size in found if key.split("/")[3] == labels[-1])[1]


@pytest.mark.full
def test_all_data_hosts_wiped(store: Store, control: Control, figure: Figure) -> None:
    """Everything is restored from bare hosts, the object storage, the secrets file and its key."""
    hosts = sorted({*control.group("postgresql"), *control.group("redis"), *control.group("rabbitmq")})
    keeper = server(control.planned)
    assert keeper
    if keeper.name in hosts:
        pytest.skip("the object storage is on a data host, and would be wiped with it")
    first, _ = names(control)
    store.fill(first, first, 1, SAVED)
    redis_cli(control, "SET restore:scenario kept")
    broker_api(control, "PUT", "queues/events/restore.scenario", '{"durable": true}')
    done(control.run(deploy="deploys/backup.py"))
    held = broker(control)
    written = 0
    until = time.monotonic() + 90
    while time.monotonic() < until:
        written += 1
        store.fill(first, first, SAVED + written, 1)
        time.sleep(0.2)
    last = float(store.sql(first, f"select extract(epoch from max(at)) from {TABLE}")[0])
    began = time.monotonic()
    control.everywhere(lambda name: control.host(name).remove(), hosts)
    lab.up(control.lab)
    refused = control.run(deploy="deploys/full.py" if control.group("edge") else "deploys/base.py")
    if not control.group("edge"):
        refused = control.run(deploy="deploys/data.py")
    assert refused.status != 0, "an empty cluster took the place of the one that is saved"
    assert "holds backups of another PostgreSQL cluster" in refused.output
    done(control.run(deploy="deploys/restore.py", data={"store": "all", "replace": True}))
    assert wait_until(lambda: store.database.whole(), 180, pause=1)
    took = time.monotonic() - began
    there = float(store.sql(first, f"select extract(epoch from max(at)) from {TABLE}")[0])
    figure("all data hosts wiped: time until restored (RTO)", took)
    figure("all data hosts wiped: acknowledged writes lost, of the last (RPO)", last - there)
    figure("all data hosts wiped: rows lost since the backup", SAVED + written - store.count(first))
    assert last - there < RPO_SECONDS
    assert took < RTO_SECONDS
    assert broker(control) == held
    assert "restore.scenario" in held["queues"]
    assert redis_cli(control, "GET restore:scenario") == "kept"
    done(control.run(deploy="deploys/data.py"))
    assert done(control.run(deploy="deploys/data.py")).changes == []
    done(control.run(deploy="deploys/backup.py", data={"store": "postgresql"}))
