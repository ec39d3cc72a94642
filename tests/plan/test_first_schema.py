"""A first schema only creates, and names only its own objects; on a host it is applied once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nexus.agent.change import Change
from nexus.catalogue.statement import NO_TABLE, ONLY, read
from nexus.plan.comparison import Differences, Seen
from roles.postgresql.host import schema, state
from roles.postgresql.plan import plan
from tests.plan.store_environment import environment

TABLE = "CREATE TABLE a (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b text);\n"
ALLOWED = [
    "CREATE TABLE public.c (a bigint REFERENCES a, d text)",
    "CREATE INDEX ON a (b)",
    "CREATE UNIQUE INDEX a_b ON public.a (b)",
    "CREATE SEQUENCE s OWNED BY a.id",
    "CREATE TYPE kind AS ENUM ('x', 'y')",
    "CREATE TYPE pair AS (x int, y int)",
    "CREATE DOMAIN name AS text CHECK (value <> '')",
    "CREATE VIEW v AS SELECT b FROM a",
    "CREATE VIEW v AS WITH q AS (SELECT b FROM a) SELECT * FROM q",
    "CREATE TABLE c (LIKE a); CREATE TABLE d (e int) INHERITS (c)",
    "CREATE TABLE c (x int) PARTITION BY RANGE (x); CREATE TABLE d PARTITION OF c DEFAULT",
    "COMMENT ON TABLE a IS 'x'; COMMENT ON COLUMN public.a.b IS 'x'",
    "CREATE INDEX i ON a (b); COMMENT ON INDEX i IS 'x'",
    "CREATE TYPE kind AS ENUM ('x'); COMMENT ON TYPE public.kind IS 'x'",
    "CREATE TABLE c (x int CONSTRAINT y CHECK (x > 0)); COMMENT ON CONSTRAINT y ON c IS 'x'",
    "INSERT INTO a (b) VALUES ('drop table a')",
    "INSERT INTO a (b) SELECT b FROM a",
    "/* DROP TABLE a; */ -- DROP TABLE a",
]
CHANGES = [
    "DROP TABLE a",
    "DROP TABLE IF EXISTS customers CASCADE",
    "ALTER TABLE a ADD c text",
    "ALTER DATABASE x OWNER TO y",
    "TRUNCATE a",
    "DELETE FROM a",
    "UPDATE a SET b = ''",
    "MERGE INTO a USING a x ON true WHEN MATCHED THEN DELETE",
    "SELECT 1",
    "SELECT b INTO c FROM a",
    "CREATE TABLE c AS SELECT * FROM a",
    "CREATE MATERIALIZED VIEW c AS SELECT * FROM a",
    "DO $$ BEGIN DROP TABLE a; END $$",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 12345678'",
    "CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f()",
    "CREATE RULE r AS ON INSERT TO a DO INSTEAD NOTHING",
    "CREATE EXTENSION pgcrypto",
    "CREATE SCHEMA other",
    "CREATE ROLE other",
    "CREATE DATABASE other",
    "GRANT ALL ON a TO public",
    "REVOKE ALL ON a FROM public",
    "SET search_path = other",
    "RESET ALL",
    "BEGIN",
    "COMMIT",
    "COPY a FROM '/etc/passwd'",
    "LOCK TABLE a",
    "VACUUM a",
    "COMMENT ON DATABASE postgres IS 'x'",
    "COMMENT ON COLUMN a IS 'x'",
    "COMMENT ON ROLE postgres IS 'x'",
    "CALL p()",
    "PREPARE p AS SELECT 1",
]
OTHERS = [
    ("CREATE TABLE a (x int)", "a is already created above"),
    ("CREATE TABLE IF NOT EXISTS c (x int)", "IF NOT EXISTS would adopt what something else created"),
    ("CREATE INDEX IF NOT EXISTS i ON a (b)", "IF NOT EXISTS would adopt"),
    ("CREATE SEQUENCE IF NOT EXISTS s", "IF NOT EXISTS would adopt"),
    ("CREATE OR REPLACE VIEW v AS SELECT b FROM a", "OR REPLACE changes what already exists"),
    ("CREATE INDEX CONCURRENTLY i ON a (b)", "CONCURRENTLY cannot be rolled back"),
    ("CREATE TEMP TABLE c (x int)", "TEMPORARY is empty after a failover"),
    ("CREATE UNLOGGED TABLE c (x int)", "UNLOGGED is empty after a failover"),
    ("CREATE TABLE other.c (x int)", "other.c is not in the schema public"),
    ("CREATE TYPE other.kind AS ENUM ('x')", "other.kind is not in the schema public"),
    ("CREATE DOMAIN other.name AS text", "other.name is not in the schema public"),
    ("CREATE TABLE c (x int REFERENCES customers)", f"customers is not created above; {ONLY}"),
    ("CREATE TABLE c PARTITION OF customers DEFAULT", "customers is not created above"),
    ("CREATE TABLE c () INHERITS (customers)", "customers is not created above"),
    ("CREATE INDEX ON customers (x)", "customers is not created above"),
    ("CREATE VIEW v AS SELECT * FROM customers", "customers is not created above"),
    ("CREATE VIEW v AS SELECT * FROM pg_catalog.pg_authid", "pg_catalog.pg_authid is not in the schema public"),
    ("INSERT INTO customers VALUES (1)", "customers is not created above"),
    ("INSERT INTO a (b) SELECT name FROM customers", "customers is not created above"),
    ("WITH x AS (DELETE FROM customers RETURNING 1) INSERT INTO a SELECT * FROM x", "customers is not created above"),
    ("COMMENT ON TABLE customers IS 'x'", "customers is not created above"),
    ("COMMENT ON COLUMN customers.id IS 'x'", "customers is not created above"),
]


@pytest.mark.parametrize("statement", ALLOWED)
def test_statements_that_create_are_allowed(statement: str) -> None:
    assert read(f"{TABLE}{statement};").objections == []


@pytest.mark.parametrize("statement", CHANGES)
def test_statements_that_change_anything_are_refused(statement: str) -> None:
    shown = statement if len(statement) <= 60 else f"{statement[:57]}..."
    assert read(f"{TABLE}\n{statement};\n").objections == [(3, f'"{shown}": {ONLY}')]


@pytest.mark.parametrize(("statement", "said"), OTHERS)
def test_statements_that_may_touch_others_are_refused_by_name(statement: str, said: str) -> None:
    ((line, message),) = read(f"{TABLE}\n{statement};\n").objections
    assert line == 3
    assert said in message


def test_line_numbers_match_the_file() -> None:
    found = read(f"-- größe\n{TABLE}/* more\nlines */\n  DROP\n TABLE a;\nDROP TABLE a")
    assert found.objections == [(line, f'"DROP TABLE a": {ONLY}') for line in (5, 7)]
    ((line, text),) = read(f"-- größe\n{TABLE}\nCREATE TABEL b ();").objections
    assert (line, text) == (4, 'PostgreSQL cannot read this: syntax error at or near "TABEL"')


@pytest.mark.parametrize("text", ["", "-- nothing yet\n", "CREATE TYPE kind AS ENUM ('x');"])
def test_a_file_without_a_table_is_refused(text: str) -> None:
    assert read(text).objections == [(1, NO_TABLE)]


def test_services_that_name_one_have_it_planned(tmp_path: Path) -> None:
    env = environment(tmp_path)
    state = next(state for state in plan(env, env.host("data1")).states if state.name == "postgresql")
    named = {name for name, service in env.catalogue.services.items() if service.first_schema}
    assert named == {"invoice-gen", "ledger-mgr"}
    for name in named:
        assert state.items[f"schema {name}"] == {"service": name, "on record": True}
        known = state.context["schemas"][f"schema {name}"]
        assert (known["database"], known["owner"]) == (name.replace("-", "_"),) * 2
        assert f"CREATE TABLE {known['tables'][0]} (" in state.payload[f"schema {name}"]
    assert len(dict(state.payload)) == 2 * 26 + 1 + len(named)
    assert "CREATE TABLE" not in repr(dict(state.context)), "files travel with every probe"


KNOWN: dict[str, Any] = {"file": "x.sql", "sha256": "ab", "tables": ["a", "b"], "database": "x_y", "owner": "x_y"}


@pytest.mark.parametrize(
    ("record", "item"),
    [
        ("applied 2026-11-29T06:00:00Z ab x.sql", {"on record": True}),
        ("found 2026-11-29T06:00:00Z ab other name.sql", {"on record": True}),
        ("", {"on record": False}),
        ("by hand", {"on record": False}),
    ],
)
def test_a_record_is_an_item(record: str, item: dict[str, Any]) -> None:
    assert schema.recorded(record, KNOWN) == item


@pytest.mark.parametrize(("how", "then"), [("applied", "it was applied"), ("found", "its tables were found")])
def test_a_file_that_changed_is_a_note_and_no_change(tmp_path: Path, how: str, then: str) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    state = next(state for state in desired.states if state.name == "postgresql")
    items = {name: dict(values) for name, values in state.items.items()}
    items["schema ledger-mgr"] |= schema.recorded(
        f"{how} 2026-11-29T06:00:00Z {'0' * 64} ledger-mgr.sql", state.context["schemas"]["schema ledger-mgr"]
    )
    found = Differences()
    assert state.compare(found, Seen({"states": {"postgresql": {"items": items}}})) is None
    assert found.changes == []
    assert found.notes == [
        f"schema ledger-mgr: ledger-mgr.sql has changed since {then} at 2026-11-29T06:00:00Z, but is applied only "
        "once: changes belong to the service's migration"
    ]


def test_a_record_outlives_a_server_that_could_not_be_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every item counts as changed then."""
    names = ["schema kept", "schema fresh"]
    there = {"schema kept": {"on record": True}, "schema fresh": {"on record": False}}
    applied: list[str] = []
    monkeypatch.setattr(state, "wait", lambda context: context)
    monkeypatch.setattr(state, "psql", lambda *_: "")
    monkeypatch.setattr(state, "existing", lambda *_: there)
    monkeypatch.setattr(state, "apply_schemas", lambda wanted, *_: applied.extend(wanted))
    state.apply(Change({name: {} for name in names}, names, [], {}, {}))
    assert applied == ["schema fresh"]


def test_tables_of_another_role_are_named_with_the_remedy() -> None:
    assert schema.told(KNOWN, {}) == "created a, b in database x_y"
    own = schema.told(KNOWN, {"a": "x_y", "b": "x_y"})
    assert own == "found a, b in database x_y: left alone, and recorded from now on"
    assert schema.told(KNOWN, {"a": "x_y", "b": "postgres"}).endswith('alter table "b" owner to "x_y"')
