"""Object storage, asked from outside: its release, its buckets, and who is let in."""

from __future__ import annotations

import pytest

from hosts.fleet import Fleet
from hosts.item import Item
from roles.storage import bucket
from roles.storage.plan import inner_port, server


@pytest.mark.planned("storage program")
def test_release_of_the_object_storage(fleet: Fleet, item: Item) -> None:
    wanted, found = fleet.want(item)["release"], fleet.answer(item.host, "storage")["release"]
    assert f" {wanted} " in found, f"{item.host}: object storage says {found!r}, planned is {wanted}"


@pytest.mark.planned("storage bucket")
def test_bucket_keeps_what_is_overwritten(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    versioned = fleet.answer(item.host, "storage")["versioned"][item.name.removeprefix("bucket ")]
    assert versioned, f"{item.host}: {item.name} keeps no older versions"


@pytest.mark.hosts("storage[0]")
def test_bucket_lets_nobody_else_in(fleet: Fleet, hostname: str) -> None:
    answer = fleet.answer(hostname, "storage")
    status, body = answer["stranger"]
    assert status == 403, f"{hostname}: without a key the bucket answers {status} {body[:200]}"
    assert " 403" in answer["wrong key"], f"{hostname}: with a wrong key the bucket answers {answer['wrong key']}"
    assert " 403" in answer["another bucket"], f"{hostname}: another bucket answers {answer['another bucket']}"
    status, body = answer["without TLS"]
    assert status != 200, f"{hostname}: object storage answers without TLS: {body[:200]}"


@pytest.mark.hosts("storage[0]")
def test_keys_of_a_service_open_its_own_bucket_and_no_other(fleet: Fleet, hostname: str) -> None:
    found = fleet.answer(hostname, "storage")["services"]
    wanted = {key for service in bucket.services(fleet.env) for key, _ in bucket.logins(fleet.env, service.name)}
    assert set(found) == wanted
    for key, answer in found.items():
        assert answer["own bucket"].startswith("let in"), f"{hostname}: {key} at its own bucket: {answer['own bucket']}"
        refused = {name: answer[name] for name in ("with a wrong secret", "its versioning")} | answer["others"]
        for name, told in refused.items():
            assert " 403" in told, f"{hostname}: {key}, {name}: {told}"


@pytest.mark.hosts
def test_object_storage_is_not_configured_from_elsewhere(fleet: Fleet, hostname: str) -> None:
    storage = server(fleet.env)
    if storage is None:
        pytest.skip("there is no object storage here")
    if storage.name == hostname:
        pytest.skip("asked from the other hosts")
    found = fleet.answer(hostname, "port")
    assert found[f"{storage.address}:{fleet.env.setting.storage_port}"] == "open", f"{hostname}: nothing is proven"
    inner = f"{storage.address}:{inner_port(fleet.env)}"
    assert found[inner] != "open", f"{hostname} reaches {inner}, where object storage is configured without a key"
