"""What an operator does to the stores while they are written to: primaries moved, replicas copied anew, passwords."""

from __future__ import annotations

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import Figure
from control import Control, Outcome
from database import Database
from load import Load
from redis_writes import WRITERS, Writes, longest_gap, loss, primary_of

from nexus.secrets.store import Secrets

FAILOVER, REBUILD, STATUS = "deploys/failover.py", "deploys/rebuild_replica.py", "deploys/status.py"
BEFORE_SECONDS, AFTER_SECONDS = 5, 8
SWITCH_SECONDS = 20  # without writes, while all is well


def role_of(database: Database, role: str) -> str:
    """The member in this role."""
    return next(name for name, member in database.members().items() if member["Role"] == role)


@pytest.mark.parametrize("to", ["Sync Standby", pytest.param("Replica", marks=pytest.mark.full)])
def test_primary_moved(control: Control, database: Database, figure: Figure, to: str) -> None:
    """To the one that is in step, and to the other one, which has to become so first."""
    target = role_of(database, to)
    dry = control.run("--dry", deploy=FAILOVER, data={"to": target})
    assert dry.status == 0, dry.end
    assert f"to {target}" in dry.output
    assert database.primary() != target, "a dry run moved it"
    with Load(control) as load:
        time.sleep(BEFORE_SECONDS)
        done = control.run(deploy=FAILOVER, data={"to": target})
        assert done.status == 0, done.end
        time.sleep(AFTER_SECONDS)
    assert database.primary() == target
    written = load.written()
    figure.timeline(f"PostgreSQL, moved to its {to.lower()}: writes acknowledged", {"proxy": written.through("proxy")})
    figure(f"PostgreSQL, moved to its {to.lower()}: acknowledged", len(written.acknowledged))
    figure(f"PostgreSQL, moved to its {to.lower()}: lost", len(load.lost(written)))
    figure(f"PostgreSQL, moved to its {to.lower()}: longest gap", written.longest_gap())
    assert load.lost(written) == []
    assert written.longest_gap() < SWITCH_SECONDS
    unchanged(control)


def unchanged(control: Control) -> None:
    """A run finds nothing to do."""
    again = control.run(deploy="deploys/data.py")
    assert (again.status, again.changes) == (0, []), again.end


@pytest.mark.full
def test_promoted_by_force(control: Control, database: Database) -> None:
    """Primary and synchronous standby are gone: nobody is elected, one is promoted when told so twice."""
    primary, standby, last = database.primary(), role_of(database, "Sync Standby"), role_of(database, "Replica")
    away = (standby, primary)
    for name in away:
        control.ssh(name, "sudo systemctl kill --signal=KILL patroni; sudo systemctl stop patroni")
    try:
        time.sleep(int(control.planned.setting.postgresql_ttl_seconds) + 10)
        assert database.primary() == ""
        refused = control.run(deploy=FAILOVER)
        assert refused.status != 0
        assert "--data force=true" in refused.output, refused.end
        forced = control.run(deploy=FAILOVER, data={"to": last, "force": True})
        assert "LOST" in forced.output, forced.end
        assert database.primary() == last, forced.end
    finally:
        for name in away:
            control.ssh(name, "sudo systemctl start patroni")
    database.wait_whole(180)
    assert database.primary() == last
    unchanged(control)


def test_what_cannot_be_is_refused(control: Control, database: Database) -> None:
    primary = database.primary()
    for deploy, data, words in (
        (FAILOVER, {"to": "data9"}, 'has no host "data9"'),
        (FAILOVER, {"to": control.group("app")[0]}, "is not a host of PostgreSQL"),
        (FAILOVER, {"store": "rabbitmq"}, "has no primary to move"),
        (FAILOVER, {"store": "mysql"}, "failover supports postgresql"),
        (REBUILD, {"host": primary}, "is the primary"),
        (REBUILD, {}, "--data host=NAME"),
    ):
        refused = control.run(deploy=deploy, data=data)
        assert refused.status != 0
        assert words in refused.output, refused.end
    assert database.primary() == primary
    there = control.run(deploy=FAILOVER, data={"to": primary})
    assert there.status == 0, there.end
    assert "nothing to do" in there.output


@pytest.mark.full
def test_replica_rebuilt(control: Control, database: Database, figure: Figure) -> None:
    """The synchronous one, while it confirms writes: another does so first."""
    target = role_of(database, "Sync Standby")
    mark = "/var/lib/postgresql/17/main/of-the-old-copy"
    control.ssh(target, f"sudo touch {mark}")
    with Load(control) as load:
        time.sleep(BEFORE_SECONDS)
        done = control.run(deploy=REBUILD, data={"host": target})
        assert done.status == 0, done.end
        time.sleep(AFTER_SECONDS)
    assert control.ssh(target, f"sudo test -e {mark} && echo there || echo gone").strip() == "gone"
    written = load.written()
    figure("PostgreSQL, replica rebuilt: run", done.seconds)
    figure("PostgreSQL, replica rebuilt: longest gap", written.longest_gap())
    assert load.lost(written) == []
    assert written.longest_gap() < SWITCH_SECONDS
    unchanged(control)


@pytest.mark.full
def test_redis_moved(control: Control, figure: Figure) -> None:
    """Every acknowledged write is there afterwards: the old primary waits until the new one has all."""
    if len(control.group("redis")) < 3:
        pytest.skip(f"{control.name} has too few hosts of Redis")
    writes, old = Writes(control), primary_of(control)
    target = next(name for name in control.group("redis") if name != old)
    with ThreadPoolExecutor(1) as pool:
        load = writes.begin(pool, 45)
        time.sleep(BEFORE_SECONDS)
        done = control.run(deploy=FAILOVER, data={"store": "redis", "to": target})
        assert done.status == 0, done.end
        found = load.result()
    assert primary_of(control) == target
    lost = loss(writes, found)
    figure("redis: moved by an operator: acknowledged", len(found["acknowledged"]))
    figure("redis: moved by an operator: lost", len(lost))
    figure("redis: moved by an operator: longest gap", longest_gap(found["acknowledged"]))
    assert len(found["acknowledged"]) > 100 * WRITERS
    assert lost == []
    unchanged(control)


def status(control: Control) -> tuple[Outcome, dict[str, Any]]:
    """How a run of the status ended, and its lines by "area what"."""
    done = control.run("--data", "format=json", deploy=STATUS)
    text = done.output[done.output.index("{\n") : done.output.rindex("\n}") + 2]
    return done, {f"{line['area']} {line['what']}": line for line in json.loads(text)["lines"]}


@pytest.mark.full
def test_status_tells_a_lost_host(control: Control, database: Database) -> None:
    _, before = status(control)
    stores = ("etcd", "postgresql", "redis", "rabbitmq")
    assert {name for name, line in before.items() if line["missed"] and name.startswith(stores)} == set()
    primary = database.primary()
    control.host(primary).kill()
    try:
        successor = database.wait_other(primary)
        done, found = status(control)
    finally:
        control.host(primary).start()
    assert done.status != 0
    assert primary in found["hosts login"]["advice"]
    assert found["postgresql primary"]["value"] == successor
    assert found["etcd quorum"]["missed"]
    assert found[f"postgresql {primary}"]["missed"]
    database.wait_whole(180)


@pytest.mark.full
def test_passwords_changed(control: Control, database: Database, figure: Figure) -> None:
    """The superuser's and replication's: in the server before Patroni is told, and nothing is lost."""
    secrets = control.planned.secrets
    kept = Path(f"{secrets.path}.before")
    shutil.copy(secrets.path, kept)
    with Load(control) as load:
        time.sleep(BEFORE_SECONDS)
        renewed(secrets, "postgresql/superuser", "postgresql/replication")
        done = control.run(deploy="deploys/data.py")
        assert done.status == 0, done.end
        assert any("password of postgres" in change for change in done.changes), done.changes
        time.sleep(AFTER_SECONDS)
    written = load.written()
    figure("PostgreSQL, own passwords changed: longest gap", written.longest_gap())
    assert load.lost(written) == []
    assert written.longest_gap() < SWITCH_SECONDS
    kept.unlink()
    unchanged(control)
    database.wait_whole()
    moved = control.run(deploy=FAILOVER)
    assert moved.status == 0, moved.end


def renewed(secrets: Secrets, *names: str) -> None:
    """Other values of secrets, in the environment's file."""
    fresh = Secrets(secrets.path, secrets.identity, generate=True)
    for name in names:
        fresh._values.pop(name)
        fresh.get(name)
    assert fresh.save()
