"""PostgreSQL as planned: who may log in where, what is on disk, how it fits its host."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from roles.postgresql import scram
from roles.postgresql.plan import plan
from roles.postgresql.tuning import size_bytes, tuned
from tests.plan.store import ADDRESS, APP, GIB, environment, text, told

HBA = "/etc/postgresql/17/main/pg_hba.conf"
CONFIG = "/etc/postgresql/17/main/postgresql.conf"
MIB = 1024**2


def rules(content: str) -> list[list[str]]:
    return [line.split() for line in content.splitlines() if line and not line.startswith("#")]


def settings(content: str) -> dict[str, str]:
    lines = (line.split(" = ", 1) for line in content.splitlines() if " = " in line)
    return {name: value.strip("'") for name, value in lines}


def test_a_database_is_open_to_its_own_two_logins_alone(tmp_path: Path) -> None:
    env = environment(tmp_path)
    services = env.catalogue.services_of_store("postgresql")
    found = rules(text(plan(env, env.host("data1")), HBA))
    assert found[0] == ["local", "all", "postgres", "peer"]
    assert len(services) == 26
    for service in services:
        users = f"{service.database}_a,{service.database}_b"
        mine = [rule for rule in found[1:] if rule[1] == service.database]
        assert [rule[2] for rule in mine] == [users] * 3
        assert {rule[3] for rule in mine} == {f"{APP}/32", f"{ADDRESS}/32", "127.0.0.1/32"}
    assert {(rule[0], rule[4]) for rule in found[1:]} == {("hostssl", "scram-sha-256")}
    assert len(found) == 1 + 3 * len(services)


def test_networks_of_clients_are_a_setting(tmp_path: Path) -> None:
    env = environment(tmp_path, postgresql_client_networks=["10.0.2.0/24"])
    found = rules(text(plan(env, env.host("data1")), HBA))
    assert {rule[3] for rule in found[1:]} == {"10.0.2.0/24", "127.0.0.1/32"}


def test_every_service_has_owner_logins_and_database(tmp_path: Path) -> None:
    env = environment(tmp_path, postgresql_connection_limit=7)
    items = plan(env, env.host("data1")).states[0].items
    for service in env.catalogue.services_of_store("postgresql"):
        owner = items[f"role {service.database}"]
        assert (owner["login"], owner["password"], owner["member_of"]) == (False, "", [])
        for which in "ab":
            login = items[f"role {service.database}_{which}"]
            assert login["login"] is True
            assert login["limit"] == 7
            assert login["member_of"] == [service.database]
            assert login["acts_as"] == service.database
        database = {"service": service.name, "owner": service.database, "public": False}
        assert items[f"database {service.database}"] == database
    assert len(items) == 4 * 26


def test_no_password_reaches_the_host(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    state = desired.states[0]
    verifiers = dict(state.payload)
    everything = told(desired) + repr(dict(state.context)) + repr(verifiers)
    for service in env.catalogue.services_of_store("postgresql"):
        for user, password in env.logins("postgresql", service.name):
            assert password not in everything
            assert verifiers[f"role {user}"].startswith("SCRAM-SHA-256$4096:")
            assert state.items[f"role {user}"]["password"] in verifiers[f"role {user}"]


def test_the_keys_are_those_of_rfc_7677() -> None:
    # The server's signature in the RFC's example conversation can only come from the right server key.
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    said = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}"
    _, server = scram.keys("pencil", b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    signature = hmac.digest(b64decode(server), said.encode(), "sha256")
    assert b64encode(signature).decode() == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_a_verifier_follows_from_user_and_password_alone() -> None:
    assert scram.verifier("a", "x") == scram.verifier("a", "x")
    assert len({scram.salt("a", "x"), scram.salt("b", "x"), scram.salt("a", "y")}) == 3
    stored = scram.verifier("a", "x").split("$")[2].split(":")[0]
    assert len(b64decode(stored)) == hashlib.sha256().digest_size


def test_what_was_acknowledged_is_on_disk(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    found = settings(text(desired, CONFIG))
    assert [found[name] for name in ("fsync", "synchronous_commit", "full_page_writes")] == ["on"] * 3
    assert "--data-checksums" in text(desired, "/etc/postgresql-common/createcluster.conf")


def test_it_listens_with_tls_where_it_should(tmp_path: Path) -> None:
    env = environment(tmp_path, postgresql_port=5555)
    desired = plan(env, env.host("data1"))
    found = settings(text(desired, CONFIG))
    assert found["listen_addresses"] == f"{ADDRESS}, 127.0.0.1"
    assert (found["port"], desired.states[0].context["port"]) == ("5555", 5555)
    assert (found["ssl"], found["ssl_min_protocol_version"]) == ("on", "TLSv1.2")
    assert found["ssl_key_file"] in desired.units[0].reload_on
    assert found["ssl_cert_file"] in desired.units[0].reload_on


@pytest.mark.parametrize(("memory", "buffers", "work"), [(16, 4096, 20), (64, 16384, 20), (2, 512, 4)])
def test_memory_follows_the_host(tmp_path: Path, memory: int, buffers: int, work: int) -> None:
    env = environment(tmp_path, memory_gib=memory)
    found = settings(text(plan(env, env.host("data1")), CONFIG))
    assert found["shared_buffers"] == f"{buffers}MB"
    assert found["effective_cache_size"] == f"{buffers * 3}MB"
    assert found["work_mem"] == f"{work}MB"


def test_a_share_of_a_shared_machine(tmp_path: Path) -> None:
    env = environment(tmp_path, memory_gib=24, postgresql_memory_percent=2)
    found = settings(text(plan(env, env.host("data1")), CONFIG))
    assert size_bytes(found["shared_buffers"]) <= 24 * GIB * 2 // 100 // 4
    assert size_bytes(found["maintenance_work_mem"]) == 32 * MIB


def test_a_size_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match='"much" is no size; write it as 16MB'):
        tuned({"work_mem": "much"}, 16 * GIB)


@pytest.mark.parametrize(("prune", "extra"), [(False, "report"), (True, "remove")])
def test_data_of_a_service_that_left_stays_until_told(tmp_path: Path, prune: bool, extra: str) -> None:
    name = "puabo-nuki-order-processor"
    env = environment(tmp_path, services_excluded=[name], prune_data=prune)
    desired = plan(env, env.host("data1"))
    assert desired.states[0].extra == extra
    assert not [item for item in desired.states[0].items if "order_processor" in item]
    assert "order_processor" not in text(desired, HBA)
