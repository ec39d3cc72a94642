"""Redis as planned: two servers, their users, what each user may access, and where passwords are."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from nexus.error import OperatorError
from roles.redis.instance import CACHE, INSTANCES, PERSISTENT
from roles.redis.plan import HELPER, PASSWORD, notes, plan
from roles.redis.users import ADMIN, HEALTH, METRICS, OWN, SERVER_RULES
from roles.service.contents import credentials
from tests.plan.store_environment import ADDRESS, GIB, environment, file, text, told


def users(content: str) -> dict[str, list[str]]:
    return {line.split()[1]: line.split()[2:] for line in content.splitlines()}


def settings(content: str) -> dict[str, str]:
    lines = (line.split(" ", 1) for line in content.splitlines() if line and not line.startswith("#"))
    return dict(lines)


def test_every_service_with_redis_is_a_user_of_one_server(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    found = {one.name: set(users(text(desired, one.users))) - {"default", *OWN.values()} for one in INSTANCES}
    services = {service.name for service in env.catalogue.services_of_store("redis")}
    assert found["persistent"] | found["cache"] == services
    assert not found["persistent"] & found["cache"]
    assert {"session-mgr", "token-mgr", "scheduler"} <= found["persistent"]
    assert "puabo-nuki-inventory-mgr" in found["cache"]


def test_a_service_gets_the_port_of_its_own_server(tmp_path: Path) -> None:
    env = environment(tmp_path, redis_cache_proxy_port=7777)
    ports = {
        service.name: credentials(env, service)["REDIS_URL"].rsplit(":", 1)[1]
        for service in env.catalogue.services_of_store("redis")
    }
    assert ports["session-mgr"] == "6379/0"
    assert ports["ai-service"] == "7777/0"


def test_a_service_reaches_its_own_keys_and_those_its_code_names(tmp_path: Path) -> None:
    env = environment(tmp_path)
    found = users(text(plan(env, env.host("data1")), PERSISTENT.users))
    keys = {name: [rule for rule in rules if rule[0] in "~&%"] for name, rules in found.items()}
    assert keys["auth-service"] == ["~auth-service:*", "&auth-service:*"]
    assert keys["session-mgr"] == ["~session-mgr:*", "~session:*", "&session-mgr:*", "&session:*"]
    assert found["default"] == ["reset", "off"]


def test_dangerous_commands_are_denied_last(tmp_path: Path) -> None:
    env = environment(tmp_path)
    rules = users(text(plan(env, env.host("data1")), PERSISTENT.users))["auth-service"]
    commands = [rule for rule in rules if rule[0] in "+-"]
    assert commands[0] == "-@all"
    allowed = [rule for rule in commands if rule.startswith("+@")]
    assert max(map(commands.index, allowed)) < commands.index("-@dangerous")
    assert commands[commands.index("-@dangerous") + 1 :] == [
        "+info", "-function", "-pubsub", "-scan", "-randomkey", "-dbsize",
    ]  # fmt: skip


def test_the_health_check_may_ask_for_the_role_and_nothing_else() -> None:
    assert SERVER_RULES[HEALTH] == "-@all +role"
    assert all("+@all" not in rules.split() for user, rules in SERVER_RULES.items() if user != ADMIN)


def test_the_exporter_may_ask_for_figures_and_no_key() -> None:
    assert SERVER_RULES[METRICS] == "-@all +ping +info +slowlog|len +latency|latest"


def test_passwords_of_services_are_stored_as_hashes(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    for one in INSTANCES:
        content = text(desired, one.users)
        for service in one.services(env.catalogue):
            password = env.secret(f"redis/{service.name}")
            assert password not in content + told(desired)
            assert f"user {service.name} reset on #{hashlib.sha256(password.encode()).hexdigest()} " in content
        assert all((file(desired, path).mode, file(desired, path).secret) == (0o640, True)
                   for path in (one.users, one.live))  # fmt: skip
    admin = file(desired, PASSWORD)
    assert (admin.mode, admin.secret, admin.owner) == (0o600, True, "root")
    assert all(env.secret(f"redis/{name}") not in told(desired) for name in OWN)


def test_each_server_listens_only_with_tls_on_its_own_port(tmp_path: Path) -> None:
    env = environment(tmp_path, redis_port=7777)
    desired = plan(env, env.host("data1"))
    found = [settings(text(desired, one.config)) for one in INSTANCES]
    assert [(part["port"], part["tls-port"]) for part in found] == [("0", "7777"), ("0", "6380")]
    assert {part["bind"] for part in found} == {f"{ADDRESS} 127.0.0.1"}
    assert len({part["dir"] for part in found}) == len({part["unixsocket"] for part in found}) == 2


def test_persistent_keys_are_saved_and_caches_evict(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    kept, cache = (settings(text(desired, one.live)) for one in INSTANCES)
    assert (kept["maxmemory-policy"], cache["maxmemory-policy"]) == ("noeviction", "allkeys-lru")
    assert (kept["appendonly"], kept["appendfsync"], kept["save"]) == ("yes", "everysec", "300 1")
    assert cache["appendonly"] == "no"


@pytest.mark.parametrize(("memory", "percent", "most"), [(16, 50, 2 * GIB), (2, 50, GIB), (24, 1, 24 * GIB // 100)])
def test_memory_is_the_documented_figure_or_the_hosts_share(
    tmp_path: Path, memory: int, percent: int, most: int
) -> None:
    env = environment(tmp_path, memory_gib=memory, redis_memory_percent=percent, redis_cache_memory_percent=1)
    desired = plan(env, env.host("data1"))
    assert settings(text(desired, PERSISTENT.live))["maxmemory"] == str(most)
    assert settings(text(desired, CACHE.live))["maxmemory"] == str(memory * GIB // 100)


@pytest.mark.parametrize(("data", "replicas"), [(1, "0"), (3, "1")])
def test_only_a_primary_without_its_replicas_refuses_writes(tmp_path: Path, data: int, replicas: str) -> None:
    env = environment(tmp_path, data=data, redis_replica_lag_seconds=4)
    found = settings(text(plan(env, env.host("data1")), PERSISTENT.live))
    assert (found["min-replicas-to-write"], found["min-replicas-max-lag"]) == (replicas, "4")


def test_no_host_is_planned_as_primary(tmp_path: Path) -> None:
    env = environment(tmp_path, data=3)
    for host in env.group("redis"):
        desired = plan(env, host)
        assert "replicaof" not in "".join(text(desired, one.config) + text(desired, one.live) for one in INSTANCES)
    names = [item.path for item in plan(env, env.host("data1")).files]
    assert not set(names) & {one.state for one in INSTANCES}  # set by the server itself: not drift


def test_settings_users_and_certificates_take_without_a_restart(tmp_path: Path) -> None:
    env = environment(tmp_path)
    for unit, one in zip(plan(env, env.host("data1")).units, INSTANCES, strict=True):
        assert one.config in unit.restart_on
        tls = {"/etc/nexus-cos/tls/leaf.pem", "/etc/nexus-cos/tls/leaf.key"}
        assert {one.live, one.users} | tls < set(unit.reload_on)


def test_all_live_settings_are_set_by_one_command(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    content = text(desired, PERSISTENT.live)
    (tmp_path / "redis-live.conf").write_text(content)
    program = text(desired, HELPER).split("sed -n ")[1].split("'")[1]
    done = subprocess.run(["sed", "-n", program, tmp_path / "redis-live.conf"], capture_output=True, text=True)
    command, *pairs = done.stdout.splitlines()
    assert command == "CONFIG SET"
    wanted = {name: value.strip('"') for name, value in settings(content).items()}
    assert dict(pair.strip().replace('"', "").split(" ", 1) for pair in pairs) == wanted


@pytest.mark.parametrize(("data", "refused"), [(1, False), (2, True), (3, False), (4, True)])
def test_a_number_of_hosts_without_redundancy_is_refused(tmp_path: Path, data: int, refused: bool) -> None:
    env = environment(tmp_path, data=data)
    if not refused:
        assert notes(env) == []
        return
    with pytest.raises(OperatorError, match=rf"(?s)redis names {data} hosts .* Use {data - 1} or {data + 1}"):
        notes(env)
