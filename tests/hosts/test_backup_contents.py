"""Backups as hosts tell of them: whose log the bucket takes, whether the secrets are there, how the last ones ended."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta

import pyrage
import pytest

from hosts.fleet import Fleet
from hosts.item import Item
from roles.backup.plan import kinds_of
from roles.storage.plan import present, server

TURN = timedelta(minutes=15)  # a timer starts within two minutes, and a backup takes its time


@pytest.mark.planned("backup stanza")
def test_log_of_this_cluster_is_saved(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    found = fleet.answer(item.host, "backup")
    assert found["system"] in found["systems"], f"{item.host}: the bucket is that of {found['systems']}"
    assert set(found["ciphers"]) == {"aes-256-cbc"}, f"{item.host}: backups are kept with {found['ciphers']}"


@pytest.mark.planned("backup secrets")
def test_saved_secrets_are_those_of_the_environment(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    sealed = base64.b64decode(fleet.answer(item.host, "backup").get("secrets", ""))
    assert sealed, f"{item.host} has no copy of the secrets file"
    secrets = fleet.env.secrets
    identity = next(line for line in secrets.identity.read_text().splitlines() if line.startswith("AGE-SECRET-KEY-"))
    there = json.loads(pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(identity.strip())]))["values"]
    differing = [name for name in secrets.names() if there.get(name) != secrets.optional(name)]
    assert not differing, f"{item.host}: the copy of the secrets file differs in {differing[:5]}"


@pytest.mark.planned("backup copy")
def test_object_storage_has_what_was_copied(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    answer, storage = fleet.answer(item.host, "backup"), server(fleet.env)
    assert storage
    if not (found := answer["copy"]):  # the first copy comes with the next backup
        assert "copy" not in answer["records"], f"{item.host} has a record of a copy that is not there"
        return
    there = json.loads(fleet.answer(storage.name, "storage")["mark"] or "{}").get("server")
    assert there == found["server"], f"{storage.name} is not the object storage that {item.host} has copied"
    assert found["objects"], f"{item.host} has a copy of nothing"
    assert not found["damaged"], f"{item.host}: in the copy {found['damaged'][:5]} are not whole"
    assert found["mode"] == "0o700", f"{item.host}: the copy has mode {found['mode']}"


def saved(fleet: Fleet) -> set[str]:
    """Kinds of which some host has a record: who saved last need not be who saves next."""
    there = [name for name, plans in fleet.planned.items() if "backup" in plans and plans["backup"].units]
    return {kind for name in there if name not in fleet.problems for kind in fleet.answer(name, "backup")["records"]}


@pytest.mark.hosts("postgresql", "redis", "rabbitmq", "mongodb", "ops[0]")
def test_no_backup_of_this_host_failed(fleet: Fleet, hostname: str) -> None:
    env = fleet.env
    if not present(env):
        pytest.skip("nothing is backed up: there is no object storage")
    for kind, record in fleet.answer(hostname, "backup")["records"].items():
        when = record["finished_at"]
        assert record["ok"], f"{hostname}: the last backup of {kind} failed at {when}: {record['error']}"
        assert record["format"] == 1
        assert record["ok_at"] == when
    figures = env.catalogue.operations.backups
    timer = fleet.machine(hostname).file(f"/etc/systemd/system/{figures.timer}")
    turn = timedelta(hours=figures.database.incremental_every_hours) + TURN
    missing = [kind for kind in kinds_of(env, env.host(hostname)) if kind not in saved(fleet)]
    due = datetime.now() - timer.mtime > turn
    assert not missing or not due, f"{hostname}: no host has a backup on record of {', '.join(missing)}"
