"""Exporters of the stores: they listen on loopback, and only files of their account hold passwords."""

from __future__ import annotations

import json
from pathlib import Path

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import Exporter
from roles.exporter.plan import exporters
from tests.plan.store_environment import environment

PACKAGED = {"pgbouncer", "postgresql", "redis"}


def of(env: Environment, host: Host) -> dict[str, Exporter]:
    return {exporter.job: exporter for exporter in exporters(env, host)}


def test_exporters_of_stores_listen_on_loopback_only(tmp_path: Path) -> None:
    env = environment(tmp_path)
    found = of(env, env.host("data1"))
    assert found.keys() >= {*PACKAGED, "etcd", "patroni", "rabbitmq"}
    for job in PACKAGED:
        assert f"--web.listen-address=127.0.0.1:{found[job].port}" in found[job].arguments


def test_one_exporter_asks_both_redis_servers_and_the_sentinel(tmp_path: Path) -> None:
    env = environment(tmp_path, data=3)
    first, *others = (of(env, host)["redis"] for host in env.group("redis"))
    assert first.queries == {
        "persistent": {"target": "rediss://nexus-metrics@127.0.0.1:6379"},
        "cache": {"target": "rediss://nexus-metrics@127.0.0.1:6380"},
        "sentinel": {"target": "rediss://nexus-metrics@127.0.0.1:26379"},
    }
    assert [other.queries for other in others] == [first.queries] * 2  # one scrape serves all hosts


def test_the_password_of_redis_is_in_a_file_of_the_exporter(tmp_path: Path) -> None:
    env = environment(tmp_path)
    exporter, password = of(env, env.host("data1"))["redis"], env.secret("redis/metrics")
    (passwords,) = exporter.files
    assert (passwords.owner, passwords.mode, passwords.secret) == ("prometheus", 0o600, True)
    assert set(json.loads(passwords.data).values()) == {password}
    assert password not in repr((exporter.arguments, exporter.variables, exporter.queries))


def test_postgresql_and_pooler_are_asked_without_a_password(tmp_path: Path) -> None:
    env = environment(tmp_path)
    found = of(env, env.host("data1"))
    assert found["postgresql"].variables == {
        "DATA_SOURCE_NAME": "user=prometheus host=/run/postgresql port=5432 dbname=postgres sslmode=disable"
    }
    assert found["pgbouncer"].user == "prometheus"
    assert "postgres://prometheus@/pgbouncer?" in repr(found["pgbouncer"].arguments)
