"""Redis as planned: users, their reach, and where passwords lie."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from roles.redis.plan import CONFIG, PASSWORD, USERS, plan
from tests.plan.store import ADDRESS, GIB, environment, file, text, told


def users(content: str) -> dict[str, list[str]]:
    return {line.split()[1]: line.split()[2:] for line in content.splitlines()}


def settings(content: str) -> dict[str, str]:
    lines = (line.split(" ", 1) for line in content.splitlines() if line and not line.startswith("#"))
    return dict(lines)


def test_users_are_those_who_declare_redis_and_one_administrator(tmp_path: Path) -> None:
    env = environment(tmp_path)
    found = users(text(plan(env, env.host("data1")), USERS))
    services = {service.name for service in env.catalogue.services_of_store("redis")}
    assert set(found) == {"default", "nexus-admin"} | services
    assert found["default"] == ["reset", "off"]


def test_a_service_reaches_its_own_keys_and_those_its_code_names(tmp_path: Path) -> None:
    env = environment(tmp_path)
    found = users(text(plan(env, env.host("data1")), USERS))
    keys = {name: [rule for rule in rules if rule[0] in "~&%"] for name, rules in found.items()}
    assert keys["auth-service"] == ["~auth-service:*", "&auth-service:*"]
    assert keys["session-mgr"] == ["~session-mgr:*", "~session:*", "&session-mgr:*", "&session:*"]


def test_a_service_starts_from_nothing_and_loses_what_is_dangerous_last(tmp_path: Path) -> None:
    env = environment(tmp_path)
    rules = users(text(plan(env, env.host("data1")), USERS))["auth-service"]
    commands = [rule for rule in rules if rule[0] in "+-"]
    assert commands[0] == "-@all"
    allowed = [rule for rule in commands if rule.startswith("+@")]
    assert max(map(commands.index, allowed)) < commands.index("-@dangerous")
    assert commands[commands.index("-@dangerous") + 1 :] == [
        "+info", "-function", "-pubsub", "-scan", "-randomkey", "-dbsize",
    ]  # fmt: skip


def test_passwords_lie_as_hashes_but_the_administrators(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    content = text(desired, USERS)
    for service in env.catalogue.services_of_store("redis"):
        password = env.secret(f"redis/{service.name}")
        assert password not in content + told(desired)
        assert f"user {service.name} reset on #{hashlib.sha256(password.encode()).hexdigest()} " in content
    admin = file(desired, PASSWORD)
    assert (admin.mode, admin.secret, admin.owner) == (0o600, True, "root")
    assert (file(desired, USERS).mode, file(desired, USERS).secret) == (0o640, True)
    assert env.secret("redis/admin") not in told(desired)


def test_it_listens_with_tls_alone_and_keeps_what_it_is_told(tmp_path: Path) -> None:
    env = environment(tmp_path, redis_port=7777)
    found = settings(text(plan(env, env.host("data1")), CONFIG))
    assert (found["port"], found["tls-port"], found["bind"]) == ("0", "7777", f"{ADDRESS} 127.0.0.1")
    assert (found["appendonly"], found["appendfsync"], found["save"]) == ("yes", "everysec", "300 1")


@pytest.mark.parametrize(
    ("memory", "percent", "most"), [(16, 50, 2 * GIB), (2, 50, GIB), (24, 1, 24 * GIB // 100)]
)
def test_memory_is_the_documented_figure_or_what_the_host_can_bear(
    tmp_path: Path, memory: int, percent: int, most: int
) -> None:
    env = environment(tmp_path, memory_gib=memory, redis_memory_percent=percent)
    found = settings(text(plan(env, env.host("data1")), CONFIG))
    assert found["maxmemory"] == str(most)
    assert found["maxmemory-policy"] == "volatile-lru"  # not the documents' allkeys-lru: it evicts sessions


def test_users_and_certificates_take_without_a_restart(tmp_path: Path) -> None:
    env = environment(tmp_path)
    (unit,) = plan(env, env.host("data1")).units
    assert unit.restart_on == (CONFIG,)
    assert {USERS, "/etc/nexus-cos/tls/leaf.pem", "/etc/nexus-cos/tls/leaf.key"} < set(unit.reload_on)
