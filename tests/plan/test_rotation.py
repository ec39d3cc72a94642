"""Rotation: every step accepts the credentials of the step before; only the last revokes the old ones."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.secrets.store import Secrets
from roles.pgbouncer import plan as pgbouncer
from roles.postgresql import plan as postgresql
from roles.postgresql.host import scram
from roles.rabbitmq import plan as rabbitmq
from roles.rabbitmq.users import password_hash
from roles.redis import plan as redis
from roles.redis.instance import PERSISTENT
from roles.sentinel import plan as sentinel
from roles.service.contents import credentials
from runbooks.secret import rotation
from runbooks.secret.rule import chosen, rule_of, units
from tests.plan.store_environment import environment, text

AUTH = "auth-service"


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    """An environment with all secrets of stores."""
    found = environment(tmp_path)
    plans(found)
    return found


def plans(env: Environment) -> dict[str, Any]:
    host = env.host("data1")
    roles = (postgresql, pgbouncer, redis, sentinel, rabbitmq)
    for service in env.catalogue.services.values():
        credentials(env, service)
    return {role.__name__.split(".")[1]: role.plan(env, host) for role in roles}


def used(env: Environment) -> dict[str, str]:
    return credentials(env, env.catalogue.service(AUTH))


def opens(env: Environment, what: dict[str, str]) -> dict[str, bool]:
    """Whether the planned stores would accept these credentials."""
    planned = plans(env)
    items = {name: item for state in planned["rabbitmq"].states for name, item in state.items.items()}
    roles = {state.name: state for state in planned["postgresql"].states}["postgresql"].items
    acl = text(planned["redis"], PERSISTENT.users)
    redis_password = what["REDIS_URL"].split(":")[2].split("@")[0]
    found = {
        "postgresql": roles[f"role {what['DB_USER']}"]["password"] == scram.salt(what["DB_USER"], what["DB_PASSWORD"]),
        "redis": f"#{sha256(redis_password)} " in next(line for line in acl.splitlines() if f"user {AUTH} " in line),
    }
    if "RABBITMQ_URL" in what:
        user, password = what["RABBITMQ_URL"].removeprefix("amqps://").split("@")[0].split(":")
        found["rabbitmq"] = items[f"user {user}"]["password"] == password_hash(user, password)
    return found


def sha256(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def reloaded(env: Environment) -> Environment:
    """The environment as another run loads it from the file."""
    env.secrets.save()
    again = Secrets(env.secrets.path, env.secrets.identity, generate=True)
    return Environment(env.name, env.hosts, env.setting, again)


def test_no_step_locks_out_and_old_secrets_stop_working(env: Environment) -> None:
    before = used(env)
    everything = chosen(env, "all")
    assert rotation.introduce(env, everything) == everything
    env = reloaded(env)
    assert used(env) | {"JWT_SECRETS_ACCEPTED": ""} == before | {"JWT_SECRETS_ACCEPTED": ""}
    assert all(opens(env, before).values())
    rotation.switch(env)
    env = reloaded(env)
    after = used(env)
    assert all(opens(env, before).values())  # services are replaced one by one
    assert all(opens(env, after).values())
    changed = {key for key in before if before[key] != after.get(key)}
    assert {"DATABASE_URL", "DB_USER", "DB_PASSWORD", "REDIS_URL", "JWT_SECRET"} <= changed
    assert rotation.retire(env, at_once=True)
    env = reloaded(env)
    assert {key: value for key, value in used(env).items() if key != "JWT_SECRETS_ACCEPTED"} == {
        key: value for key, value in after.items() if key != "JWT_SECRETS_ACCEPTED"
    }
    assert all(opens(env, after).values())
    assert not any(opens(env, before).values())
    assert rotation.unfinished(env) == []
    assert not [name for name in env.secrets.names() if name.endswith(("/next", "/previous"))]


def test_every_rotated_secret_has_a_new_value(env: Environment) -> None:
    before = {name: env.secret(name) for name in env.secrets.names()}
    everything = chosen(env, "all")
    rotation.introduce(env, everything)
    rotation.switch(env)
    rotation.retire(env, at_once=True)
    same = [name for name, value in before.items() if env.secret(name) == value]
    kept = [name for name in same if rule_of(env, unit(name)).kind == "kept"]
    assert same == kept
    assert "rabbitmq/cookie" in kept


def unit(name: str) -> str:
    return name[:-2] if name.endswith(("/a", "/b")) else name


def test_a_second_rotation_uses_the_first_login_again(env: Environment) -> None:
    users = []
    for _ in range(2):
        rotation.introduce(env, ["postgresql/auth-service"])
        rotation.switch(env)
        rotation.retire(env)
        users.append(used(env)["DB_USER"])
    assert users == ["auth_service_b", "auth_service_a"]


@pytest.mark.parametrize("step", [rotation.introduce, rotation.switch, rotation.retire])
def test_an_interrupted_rotation_is_continued(env: Environment, step: Any) -> None:
    names = ["postgresql/auth-service", "redis/auth-service"]
    rotation.introduce(env, names)
    introduced = {name: env.secret(name) for name in env.secrets.names()}
    assert rotation.introduce(env, names) == []
    assert {name: env.secret(name) for name in env.secrets.names()} == introduced
    env = reloaded(env)
    assert rotation.unfinished(env) == names
    assert rotation.switch(env) == names
    env = reloaded(env)
    assert rotation.introduce(env, names) == []  # killed after the switch: the next run retires first
    assert rotation.retire(env) == names


def test_tokens_of_the_old_key_are_accepted_as_long_as_they_live(env: Environment) -> None:
    old = used(env)["JWT_SECRET"]
    rotation.introduce(env, ["service/jwt"])
    assert used(env)["JWT_SECRET"] == old
    rotation.switch(env)
    assert set(used(env)["JWT_SECRETS_ACCEPTED"].split(",")) == {old, used(env)["JWT_SECRET"]}
    assert rotation.retire(env) == []
    assert "UTC" in rotation.held(env, "service/jwt")
    assert rotation.retire(env, at_once=True) == ["service/jwt"]
    assert "JWT_SECRETS_ACCEPTED" not in used(env)


def test_platform_users_keep_both_passwords_meanwhile(env: Environment) -> None:
    old = env.secret("redis/sentinel")
    rotation.introduce(env, ["redis/sentinel"])
    rotation.switch(env)
    planned = plans(env)
    for content in (text(planned["redis"], PERSISTENT.users), text(planned["sentinel"], sentinel.USERS)):
        line = next(line for line in content.splitlines() if line.startswith("user nexus-sentinel "))
        assert f"#{sha256(old)}" in line
        assert f"#{sha256(env.secret('redis/sentinel'))}" in line
    assert planned["sentinel"].states[0].context["sentinel"][1] == env.secret("redis/sentinel") != old


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("postgresql/auth-servce", 'no such secret; did you mean "postgresql/auth-service"'),
        ("nonsense", "test has no such secret"),
        ("tls/ca-key", "not changed here: an authority"),
        ("rabbitmq/cookie", "not changed here: all nodes of RabbitMQ"),
    ],
)
def test_a_secret_that_cannot_be_rotated_is_refused(env: Environment, words: str, complaint: str) -> None:
    env.tls  # noqa: B018 - makes its secrets
    with pytest.raises(OperatorError, match=complaint):
        chosen(env, words)


def test_secrets_are_named_by_store_pattern_and_name(env: Environment) -> None:
    named = ["redis/auth-service", "postgresql/auth-service"]
    assert chosen(env, ", ".join(named)) == named
    assert len([name for name in chosen(env, "postgresql/*-service") if name == "postgresql/auth-service"]) == 1
    assert {name.partition("/")[0] for name in chosen(env, "redis")} == {"redis"}
    assert "rabbitmq/cookie" not in chosen(env, "rabbitmq")


def test_every_secret_of_the_environment_has_a_rule(env: Environment) -> None:
    env.tls  # noqa: B018 - makes its secrets
    env.login("registry", "nexus")
    assert [name for name in units(env) if "no rule" in rule_of(env, name).why] == []
