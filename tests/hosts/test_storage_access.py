"""Object storage and backups, asked from outside: who is let in, whose log is saved, and what lies on the hosts."""

from __future__ import annotations

import base64
import json

import pyrage
import pytest

from hosts.fleet import Fleet
from hosts.item import Item
from roles.storage import bucket
from roles.storage.plan import inner_port, server
from roles.storage.plan import plan as storage


@pytest.mark.planned("storage program")
def test_release_of_the_object_storage(fleet: Fleet, item: Item) -> None:
    wanted, found = fleet.want(item)["release"], fleet.answer(item.host, "storage")["release"]
    assert f" {wanted} " in found, f"{item.host}: object storage says {found!r}, planned is {wanted}"


@pytest.mark.planned("storage bucket")
def test_bucket_keeps_what_is_overwritten(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    versioned = fleet.answer(item.host, "storage")["versioned"][item.name.removeprefix("bucket ")]
    assert versioned, f"{item.host}: {item.name} keeps no older versions"


@pytest.mark.hosts("storage")
def test_bucket_lets_nobody_else_in(fleet: Fleet, host: str) -> None:
    if not storage(fleet.env, fleet.env.host(host)).units:
        pytest.skip("another host runs it")
    answer = fleet.answer(host, "storage")
    status, body = answer["stranger"]
    assert status == 403, f"{host}: without a key the bucket answers {status} {body[:200]}"
    assert " 403" in answer["wrong key"], f"{host}: with a wrong key the bucket answers {answer['wrong key']}"
    assert " 403" in answer["another bucket"], f"{host}: another bucket answers {answer['another bucket']}"
    status, body = answer["without TLS"]
    assert status != 200, f"{host}: object storage answers without TLS: {body[:200]}"


@pytest.mark.hosts("storage")
def test_keys_of_a_service_open_its_own_bucket_and_no_other(fleet: Fleet, host: str) -> None:
    if not storage(fleet.env, fleet.env.host(host)).units:
        pytest.skip("another host runs it")
    found = fleet.answer(host, "storage")["services"]
    wanted = {key for service in bucket.services(fleet.env) for key, _ in bucket.logins(fleet.env, service.name)}
    assert set(found) == wanted
    for key, answer in found.items():
        assert answer["own bucket"].startswith("let in"), f"{host}: {key} at its own bucket: {answer['own bucket']}"
        refused = {name: answer[name] for name in ("with a wrong secret", "its versioning")} | answer["others"]
        for name, told in refused.items():
            assert " 403" in told, f"{host}: {key}, {name}: {told}"


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


@pytest.mark.hosts
def test_no_backup_of_this_host_failed(fleet: Fleet, host: str) -> None:
    if not fleet.planned[host].get("backup") or not fleet.planned[host]["backup"].units:
        pytest.skip("it saves nothing")
    for kind, record in fleet.answer(host, "backup")["records"].items():
        assert record["ok"], f"{host}: the last backup of {kind} failed at {record['finished_at']}: {record['error']}"
        assert record["format"] == 1
        assert record["ok_at"] == record["finished_at"]


@pytest.mark.hosts
def test_object_storage_is_not_configured_from_elsewhere(fleet: Fleet, host: str) -> None:
    storage = server(fleet.env)
    if storage is None or storage.name == host:
        pytest.skip("asked from the other hosts")
    found = fleet.answer(host, "port")
    assert found[f"{storage.address}:{fleet.env.setting.storage_port}"] == "open", f"{host}: nothing is proven"
    inner = f"{storage.address}:{inner_port(fleet.env)}"
    assert found[inner] != "open", f"{host} reaches {inner}, where object storage is configured without a key"
