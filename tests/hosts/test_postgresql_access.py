"""PostgreSQL from the services' side: who gets in, where to, and as whom."""

from __future__ import annotations

from typing import Any

import pytest

from hosts.fleet import Fleet
from hosts.item import Item
from hosts.store_question import shared_out
from nexus.catalogue import Service

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "data_checksums": "on"}
KEPT = {"ssl": "on", "ssl_min_protocol_version": "TLSv1.2", "password_encryption": "scram-sha-256"}


@pytest.mark.planned("postgresql", prefix="role ")
def test_role(fleet: Fleet, item: Item) -> None:
    wanted, answer = fleet.want(item), fleet.answer(item.host, "postgresql")
    name = item.name.removeprefix("role ")
    role = answer["roles"].get(name)
    what = f"{item.host}: role {name}"
    assert role, f"{what} is missing"
    rights = [right for right in ("super", "createdb", "createrole", "bypass") if role[right]]
    assert role["replication"] == wanted["replication"], f"{what}: replication is {role['replication']}"
    assert not rights, f"{what} has rights that no service needs: {', '.join(rights)}"
    assert role["login"] == wanted["login"], f"{what}: login is {role['login']}, planned is {wanted['login']}"
    assert role["limit"] == wanted["limit"], f"{what}: limit is {role['limit']}, planned is {wanted['limit']}"
    assert role["member_of"] == wanted["member_of"], f"{what} is in {role['member_of']}, not {wanted['member_of']}"
    if wanted["password"]:
        assert role["scram"], f"{what} has no SCRAM password"
    else:
        assert not role["has_password"], f"{what} has a password and should have none"


@pytest.mark.planned("postgresql", prefix="database ")
def test_database(fleet: Fleet, item: Item) -> None:
    wanted, answer = fleet.want(item), fleet.answer(item.host, "postgresql")
    name = item.name.removeprefix("database ")
    owner = answer["databases"].get(name)
    assert owner == wanted["owner"], f"{item.host}: database {name} belongs to {owner}, planned is {wanted['owner']}"
    roles = answer["roles"]
    own = {name, *(user for user, role in roles.items() if name in role["member_of"])}
    others = [u for u, role in roles.items() if name in role["connects_to"] and u not in own and not role["super"]]
    assert not others, f"{item.host}: database {name} is open to {', '.join(sorted(others))}"


@pytest.mark.planned("postgresql", prefix="schema ")
def test_tables_are_the_services_own(fleet: Fleet, item: Item) -> None:
    service = fleet.env.catalogue.service(fleet.want(item)["service"])
    schema = fleet.env.catalogue.schema_of(service)
    assert schema, f"{service.name} names no first schema any more"
    tables = ", ".join(f"{table} of {service.database}" for table in sorted(schema.tables))
    for user, _ in fleet.env.logins("postgresql", service.name):
        told = fleet.answer(item.host, "postgresql")["logins"][f"tables as {user}"]
        assert "error" not in told, f"{item.host}: {user} cannot use the tables of {schema.file}: {told.get('error')}"
        found = told["row"]
        assert found == [service.database, tables], f"{item.host}: {user} finds {found}, planned is {tables}"


@pytest.mark.planned("postgresql", prefix="function ")
def test_lookup(fleet: Fleet, item: Item) -> None:
    wanted, answer = fleet.want(item), fleet.answer(item.host, "postgresql")
    found = answer["lookup"]
    assert found["may"] == wanted["granted"], f"{item.host}: the look-up of passwords is open to {found['may']}"
    assert found["super"] is None, f"{item.host}: the look-up gives out the superuser's verifier"


@pytest.mark.services("postgresql")
def test_both_log_ins_reach_their_database(fleet: Fleet, hostname: str, service: Service) -> None:
    logins = fleet.answer(hostname, "postgresql")["logins"]
    for which in ("a", "b"):
        user = f"{service.database}_{which}"
        told = logins[user]
        assert "error" not in told, f"{hostname}: {user} cannot log in: {told.get('error')}"
        planned = [user, service.database, service.database, "t"]
        assert told["row"] == planned, (
            f"{hostname}: {user} is (session, acts as, database, may create) {told['row']}, planned is {planned}"
        )
        assert told["tls"], f"{hostname}: {user} got in without TLS"


@pytest.mark.hosts("postgresql")
def test_everything_else_is_refused(fleet: Fleet, hostname: str) -> None:
    logins = fleet.answer(hostname, "postgresql")["logins"]
    for service in shared_out(fleet.env, fleet.env.host(hostname), "postgresql"):
        tried = [name for name in logins if name.startswith(f"{service.database}_a ")]
        assert len(tried) >= 4, f"{hostname}: not all was tried: {tried}"
        _refused(hostname, logins, [*tried, service.database])


def _refused(hostname: str, logins: dict[str, Any], names: list[str]) -> None:
    expected = (
        "no pg_hba.conf entry",
        "password authentication failed",
        "permission denied for database",
        "not permitted to log in",
    )
    for name in names:
        told = logins[name]
        assert "error" in told, f"{hostname}: {name} was let in as {told.get('row')}"
        why = told["error"]
        assert any(text in why for text in expected), f"{hostname}: {name} was not refused, but: {why}"


@pytest.mark.hosts("postgresql")
def test_settings_that_keep_data_are_in_force(fleet: Fleet, hostname: str) -> None:
    settings = fleet.answer(hostname, "postgresql")["settings"]
    wanted = {**DURABLE, **KEPT}
    wrong = {name: settings.get(name) for name, value in wanted.items() if settings.get(name) != value}
    assert not wrong, f"{hostname}: PostgreSQL runs with {wrong}, planned is { {name: wanted[name] for name in wrong} }"


@pytest.mark.planned("postgresql server")
def test_server_takes_writes_and_asks_for_tls(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    settings = fleet.answer(item.host, "postgresql")["settings"]
    wanted = {
        "default_transaction_read_only": "off",
        "max_connections": str(fleet.env.setting.postgresql_max_connections),
        "password_encryption": "scram-sha-256",
        "ssl": "on",
    }
    found = {name: settings[name] for name in wanted}
    assert found == wanted, f"{item.host}: PostgreSQL runs with {found}, planned is {wanted}"


@pytest.mark.planned("pgbouncer")
def test_pooler_listens(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    port = int(fleet.env.setting.pgbouncer_port)
    heard = {listener.port for listener in fleet.seen(item.host).listeners}
    assert port in heard, f"{item.host}: nothing listens on PgBouncer's port {port}"


@pytest.mark.planned("postgresql passwords")
def test_password_of_the_platform(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    told = fleet.answer(item.host, "postgresql")["logins"][item.name]
    assert "error" not in told, f"{item.host}: the {item.name} does not open it: {told.get('error')}"
    assert told["tls"], f"{item.host}: the {item.name} was taken without TLS"
