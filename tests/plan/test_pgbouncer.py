"""PgBouncer as planned: pools that fit the server, one place for passwords, TLS alone."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

from roles.pgbouncer.plan import ACCESS, CONFIG, LISTEN, USERS, plan
from roles.postgresql.budget import budget
from tests.plan.store_environment import ADDRESS, APP, environment, text, told


def parsed(content: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None, comment_prefixes=(";", "%"))
    parser.read_string(content)
    return parser


def test_every_service_has_one_pool_for_both_logins(tmp_path: Path) -> None:
    env = environment(tmp_path, pgbouncer_pool_size=3)
    found = parsed(text(plan(env, env.host("data1")), CONFIG))
    databases = {service.database for service in env.catalogue.services_of_store("postgresql")}
    assert set(found["databases"]) == databases | {"postgres"}
    pooler = found["pgbouncer"]
    assert (pooler["pool_mode"], pooler["default_pool_size"], pooler["max_db_connections"]) == ("transaction", "3", "3")
    assert int(pooler["max_client_conn"]) == budget(env).clients > 20 * len(databases)


def test_passwords_are_looked_up_by_one_user(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    pooler = parsed(text(desired, CONFIG))["pgbouncer"]
    assert (pooler["auth_user"], pooler["auth_dbname"]) == ("pgbouncer", "postgres")
    # No password to steal: the pooler and its exporter connect as their system accounts.
    assert text(desired, USERS) == '"pgbouncer" ""\n"prometheus" ""\n'
    assert pooler["stats_users"] == "prometheus"
    assert "admin_users" not in pooler
    everything = told(desired)
    for service in env.catalogue.services_of_store("postgresql"):
        for _, password in env.logins("postgresql", service.name):
            assert password not in everything + text(desired, USERS)


def test_services_use_tls_and_reach_only_their_own_database(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    assert parsed(text(desired, CONFIG))["pgbouncer"]["client_tls_sslmode"] == "require"
    rules = [line.split() for line in text(desired, ACCESS).splitlines() if line.startswith(("host", "local"))]
    assert rules[:2] == [["local", "pgbouncer", name, "peer"] for name in ("pgbouncer", "prometheus")]
    own = [rule for rule in rules if rule[1] == "auth_service"]
    assert [rule[:3] for rule in own] == [["hostssl", "auth_service", "auth_service_a,auth_service_b"]] * 3
    assert {rule[3] for rule in own} == {f"{APP}/32", f"{ADDRESS}/32", "127.0.0.1/32"}


def test_a_new_service_needs_no_restart(tmp_path: Path) -> None:
    less = environment(tmp_path, services_excluded=["puabo-nuki-order-processor"])
    more = environment(tmp_path)
    before, after = (plan(env, env.host("data1")) for env in (less, more))
    assert text(before, CONFIG) != text(after, CONFIG)
    assert text(before, LISTEN) == text(after, LISTEN)
    assert CONFIG in after.units[0].reload_on
