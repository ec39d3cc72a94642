"""PostgreSQL as planned: which users may log in where, what is on disk, how it fits its host."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.plan.desired import Desired, State
from roles.postgresql.budget import budget
from roles.postgresql.patroni import CONFIG
from roles.postgresql.plan import notes, plan, preflight
from roles.postgresql.tuning import size_bytes, tuned
from tests.plan.environments import environment as cluster
from tests.plan.store_environment import ADDRESS, APP, GIB, environment, text, told

MIB = 1024**2


def config(desired: Desired) -> dict[str, Any]:
    """The configuration that Patroni reads on the host."""
    found: dict[str, Any] = yaml.safe_load(text(desired, CONFIG))
    return found


def parameters(desired: Desired) -> dict[str, Any]:
    found: dict[str, Any] = config(desired)["postgresql"]["parameters"]
    return found


def rules(desired: Desired) -> list[list[str]]:
    return [line.split() for line in config(desired)["postgresql"]["pg_hba"]]


def contents(desired: Desired) -> State:
    return states(desired)["postgresql"]


def states(desired: Desired) -> dict[str, State]:
    return {state.name: state for state in desired.states}


def settings(desired: Desired) -> Mapping[str, Any]:
    return states(desired)["patroni"].items["config"]


def three(tmp_path: Path, **settings: Any) -> Environment:
    both = "etcd postgresql"
    return cluster(tmp_path, {"app1": "app", "data1": both, "data2": both, "data3": both}, **settings)


def test_a_database_accepts_only_its_own_two_logins(tmp_path: Path) -> None:
    env = environment(tmp_path)
    services = env.catalogue.services_of_store("postgresql")
    found = rules(plan(env, env.host("data1")))
    assert len(services) == 26
    for service in services:
        users = f"{service.database}_a,{service.database}_b"
        mine = [rule for rule in found if rule[1] == service.database]
        assert [rule[2] for rule in mine] == [users] * 4
        assert mine[0] == ["local", service.database, users, "scram-sha-256"]
        assert {rule[3] for rule in mine[1:]} == {f"{APP}/32", f"{ADDRESS}/32", "127.0.0.1/32"}
    own = [rule for rule in found if rule[1] not in {service.database for service in services}]
    assert own == [
        ["local", "all", "postgres", "peer"],
        ["local", "replication", "postgres", "peer"],
        ["local", "postgres", "pgbouncer", "peer", "map=pgbouncer"],
        ["local", "postgres", "prometheus", "peer"],
        ["hostssl", "replication", "replicator", f"{ADDRESS}/32", "scram-sha-256"],
        ["hostssl", "replication", "replicator", "127.0.0.1/32", "scram-sha-256"],
        ["hostssl", "all", "postgres", f"{ADDRESS}/32", "scram-sha-256"],
    ]
    assert {rule[0] for rule in found} == {"local", "hostssl"}


def test_networks_of_clients_are_a_setting(tmp_path: Path) -> None:
    env = environment(tmp_path, postgresql_client_networks=["10.0.2.0/24"])
    found = [rule for rule in rules(plan(env, env.host("data1"))) if rule[1] == "auth_service"]
    assert {rule[3] for rule in found[1:]} == {"10.0.2.0/24", "127.0.0.1/32"}


def test_only_members_replicate_and_ask_as_superuser(tmp_path: Path) -> None:
    env = three(tmp_path)
    found = rules(plan(env, env.host("data2")))
    members = {f"{env.host(name).address}/32" for name in ("data1", "data2", "data3")}
    own = {"postgres": set(), "replicator": {"127.0.0.1/32"}}  # Patroni queries its own server for the timeline
    for user, more in own.items():
        assert {rule[3] for rule in found if rule[0] == "hostssl" and rule[2] == user} == members | more


def test_every_service_has_owner_logins_and_database(tmp_path: Path) -> None:
    env = environment(tmp_path, postgresql_connection_limit=7)
    items = contents(plan(env, env.host("data1"))).items
    for service in env.catalogue.services_of_store("postgresql"):
        owner = items[f"role {service.database}"]
        assert (owner["login"], owner["password"], owner["member_of"]) == (False, "", [])
        for which in "ab":
            login = items[f"role {service.database}_{which}"]
            assert login["login"] is True
            assert login["limit"] == 7
            assert login["member_of"] == [service.database]
            assert login["acts_as"] == service.database
        database = items[f"database {service.database}"]
        assert (database["owner"], database["public"], database["shut"]) == (service.database, False, False)
    schemas = [name for name in items if name.startswith("schema ")]
    assert schemas == ["schema ledger-mgr", "schema invoice-gen"]
    assert len(items) == 4 * 26 + 4 + len(schemas)
    assert items["role replicator"]["replication"] is True
    assert items["role pgbouncer"]["replication"] is False
    assert (items["role prometheus"]["member_of"], items["role prometheus"]["password"]) == (["pg_monitor"], "")
    assert items["function lookup"]["granted"] == ["pgbouncer"]


def test_no_password_reaches_the_host(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    state = contents(desired)
    verifiers = dict(state.payload)
    everything = told(desired) + repr(dict(state.context)) + repr(verifiers) + text(desired, CONFIG)
    for service in env.catalogue.services_of_store("postgresql"):
        for user, password in env.logins("postgresql", service.name):
            assert password not in everything
            assert verifiers[f"role {user}"].startswith("SCRAM-SHA-256$4096:")
            assert state.items[f"role {user}"]["password"] in verifiers[f"role {user}"]


def test_acknowledged_writes_are_on_disk(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    found = parameters(desired)
    assert [found[name] for name in ("fsync", "synchronous_commit", "full_page_writes")] == ["on"] * 3
    assert "data-checksums" in config(desired)["bootstrap"]["initdb"]


@pytest.mark.parametrize("strict", [True, False])
def test_several_hosts_are_synchronous_and_one_is_not(tmp_path: Path, strict: bool) -> None:
    env = three(tmp_path, postgresql_synchronous_strict=strict)
    wanted = settings(plan(env, env.host("data1")))
    assert (wanted["synchronous_mode"], wanted["synchronous_mode_strict"]) == (True, strict)
    start = config(plan(env, env.host("data1")))["bootstrap"]["dcs"]
    assert start["synchronous_mode_strict"] is False  # otherwise nothing could be written before a standby exists
    alone = environment(tmp_path)
    wanted = settings(plan(alone, alone.host("data1")))
    assert (wanted["synchronous_mode"], wanted["synchronous_mode_strict"]) == (False, False)


def test_one_host_manages_the_cluster(tmp_path: Path) -> None:
    env = three(tmp_path)
    with_states = [host.name for host in env.group("postgresql") if "patroni" in states(plan(env, host))]
    assert with_states == ["data1"]
    env = three(tmp_path, without="data1")
    desired = plan(env, env.host("data2"))
    found = states(desired)
    assert list(found) == ["postgresql passwords", "postgresql server", "patroni", "postgresql"]
    assert [name for name in found["patroni"].items if name.startswith("member")] == ["member data2", "member data3"]
    assert set(found["patroni"].context["members"]) == {"data2", "data3"}
    assert found["patroni"].extra == "keep", "a host that a run goes without would be taken for one that left"


def test_the_tag_names_the_configuration_that_patroni_uses(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    tag = config(desired)["tags"]["config"]
    assert f'"config": "{tag}"' in str(desired.units[0].ready_check)
    changed = plan(*(lambda e: (e, e.host("data1")))(environment(tmp_path, memory_gib=8)))
    assert config(changed)["tags"]["config"] != tag


def test_it_listens_with_tls_where_it_should(tmp_path: Path) -> None:
    env = environment(tmp_path, postgresql_port=5555)
    desired = plan(env, env.host("data1"))
    found = parameters(desired)
    assert config(desired)["postgresql"]["listen"] == f"{ADDRESS},127.0.0.1:5555"
    assert contents(desired).context["port"] == 5555
    assert (found["ssl"], found["ssl_min_protocol_version"]) == ("on", "TLSv1.2")
    assert found["ssl_key_file"] in desired.units[0].reload_on
    assert found["ssl_cert_file"] in desired.units[0].reload_on


def test_shared_settings_are_only_in_etcd(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    shared = {name.rpartition(".")[2] for name in settings(desired) if ".parameters." in name}
    assert {"max_connections", "max_worker_processes", "wal_level"} <= shared
    assert not shared & set(parameters(desired))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"postgresql_ttl_seconds": 18},
            r"ttl_seconds is 18, but .* is 19: .* Set postgresql_ttl_seconds to 19 or more",
        ),
        ({"postgresql_client_networks": ["10.0.2.1/24"]}, r'"10.0.2.1/24" is not a network: .* Write it as'),
        (
            {"pgbouncer_pool_size": 5},
            r"26 services with 5 each need 130, which with 10 direct and 14 internal ones makes 154, ",
        ),
        ({"postgresql_max_connections": 70}, r"makes 76, but postgresql_max_connections is 70. Raise it to 76"),
        ({"postgresql_connection_limit": 1}, r"connection_limit is 1, less than one pool \(pgbouncer_pool_size is 2\)"),
    ],
)
def test_connections_that_do_not_fit_are_refused_with_figures(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(OperatorError, match=message):
        notes(environment(tmp_path, **settings))


def test_a_cluster_needs_etcd(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="the group etcd is empty"):
        notes(cluster(tmp_path, {"app1": "app", "data1": "postgresql"}))


def test_the_catalogue_fits_its_connections(tmp_path: Path) -> None:
    found = budget(environment(tmp_path))
    assert (found.services, found.pooled, found.used, found.most) == (26, 52, 76, 100)
    alert = 80  # DatabaseConnectionsHigh
    assert found.used < alert


@pytest.mark.parametrize("config", ["", "touch config"])
def test_a_server_that_patroni_did_not_make_is_refused(tmp_path: Path, config: str) -> None:
    env = environment(tmp_path)
    script = preflight(env, env.host("data1")).replace("/etc/postgresql/17/main/", f"{tmp_path}/")
    script = script.replace("/etc/patroni/config.yml", f"{tmp_path}/config")
    assert subprocess.run(["sh", "-c", script]).returncode == 0
    (tmp_path / "postgresql.conf").touch()
    subprocess.run(["sh", "-c", config or "true"], cwd=tmp_path, check=True)
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True)
    assert done.returncode == (0 if config else 1)
    assert ("pg_dropcluster" in done.stdout) == (not config)


@pytest.mark.parametrize(("memory", "buffers", "work"), [(16, 4096, 20), (64, 16384, 20), (2, 512, 4)])
def test_memory_follows_the_host(tmp_path: Path, memory: int, buffers: int, work: int) -> None:
    env = environment(tmp_path, memory_gib=memory)
    found = parameters(plan(env, env.host("data1")))
    assert found["shared_buffers"] == f"{buffers}MB"
    assert found["effective_cache_size"] == f"{buffers * 3}MB"
    assert found["work_mem"] == f"{work}MB"


def test_a_share_of_a_shared_machine(tmp_path: Path) -> None:
    env = environment(tmp_path, memory_gib=24, postgresql_memory_percent=2)
    found = parameters(plan(env, env.host("data1")))
    assert size_bytes(found["shared_buffers"]) <= 24 * GIB * 2 // 100 // 4
    assert size_bytes(found["maintenance_work_mem"]) == 32 * MIB


def test_an_invalid_size_is_named() -> None:
    with pytest.raises(ValueError, match='"much" is not a size; write it as 16MB'):
        tuned({"work_mem": "much"}, 16 * GIB)


@pytest.mark.parametrize(("prune", "extra"), [(False, "report"), (True, "remove")])
def test_data_of_a_removed_service_stays_until_ordered(tmp_path: Path, prune: bool, extra: str) -> None:
    name = "puabo-nuki-order-processor"
    env = environment(tmp_path, services_excluded=[name], prune_data=prune)
    desired = plan(env, env.host("data1"))
    assert contents(desired).extra == extra
    assert not [item for item in contents(desired).items if "order_processor" in item]
    assert "order_processor" not in text(desired, CONFIG)
