"""RabbitMQ's virtual hosts and users as planned: what each service may access, and where passwords go."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode
from pathlib import Path

import pytest

from nexus.plan.desired import Desired, State
from roles.rabbitmq.plan import COOKIE, DIRECTORY, plan
from roles.rabbitmq.users import event_permissions, password_hash
from tests.plan.store_environment import environment, file, text, told


def state(desired: Desired, name: str) -> State:
    return next(found for found in desired.states if found.name == f"rabbitmq {name}")


def test_every_service_has_a_vhost_with_two_logins(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    vhosts, users = (state(desired, name).items for name in ("vhosts", "users"))
    services = env.catalogue.services_of_store("rabbitmq")
    assert len(services) == 15
    for service in services:
        assert vhosts[f"vhost {service.name}"]["default_queue_type"] == "quorum"
        for which in "ab":
            login = users[f"user {service.database}_{which}"]
            assert login["permissions"][service.name] == [".*", ".*", ".*"]
            assert set(login["permissions"]) <= {service.name, "events"}
            assert login["administrator"] is False
    assert users["default user"] == vhosts["default vhost"] == {"present": False}


@pytest.mark.parametrize(
    ("service", "verb", "name", "may"),
    [
        ("user-auth", 1, "UserCreated", True),  # publishes it
        ("user-auth", 1, "OrderPlaced", False),
        ("user-auth", 2, "UserCreated", False),
        ("billing-service", 2, "UserCreated", True),  # consumes it
        ("billing-service", 1, "UserCreated", False),
        ("billing-service", 0, "UserCreated", False),
        ("billing-service", 0, "billing-service.created", True),  # its own queue
        ("billing-service", 2, "ledger-mgr.created", False),
        ("billing-service", 1, "billing-serviceXcreated", False),
    ],
)
def test_events_reach_their_consumers(tmp_path: Path, service: str, verb: int, name: str, may: bool) -> None:
    catalogue = environment(tmp_path).catalogue
    patterns = event_permissions(catalogue, catalogue.service(service))
    assert bool(re.search(patterns[verb], name)) is may


def test_services_without_events_cannot_reach_them(tmp_path: Path) -> None:
    env = environment(tmp_path)
    users = state(plan(env, env.host("data1")), "users").items
    outsiders = [
        service
        for service in env.catalogue.services_of_store("rabbitmq")
        if not event_permissions(env.catalogue, service)
    ]
    assert outsiders
    for service in outsiders:
        assert list(users[f"user {service.database}_a"]["permissions"]) == [service.name]


def test_every_event_has_an_exchange_before_its_consumers_come(tmp_path: Path) -> None:
    env = environment(tmp_path)
    vhosts = state(plan(env, env.host("data1")), "vhosts").items
    for event in env.catalogue.platform.events:
        assert vhosts[f"exchange {event.name}"] == {"type": "topic", "durable": True}


def test_a_hash_holds_its_salt_and_follows_from_the_password() -> None:
    raw = b64decode(password_hash("user", "secret"))
    assert raw[4:] == hashlib.sha256(raw[:4] + b"secret").digest()
    assert password_hash("user", "secret") == password_hash("user", "secret") != password_hash("other", "secret")


def test_only_the_administrators_password_reaches_the_host(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    contexts = repr([dict(state.context) for state in desired.states])
    for service in env.catalogue.services_of_store("rabbitmq"):
        for _, password in env.logins("rabbitmq", service.name):
            assert password not in told(desired) + contexts
    assert env.secret("rabbitmq/admin") not in told(desired)
    definitions = json.loads(text(desired, f"{DIRECTORY}/definitions.json"))
    assert [user["name"] for user in definitions["users"]] == ["nexus-admin"]
    assert (file(desired, COOKIE).mode, file(desired, COOKIE).owner) == (0o400, "rabbitmq")
    assert all(file(desired, path).secret for path in (COOKIE, f"{DIRECTORY}/definitions.json"))


@pytest.mark.parametrize(("prune", "extra"), [(False, "report"), (True, "remove")])
def test_a_removed_service_has_no_login_but_keeps_its_queues(tmp_path: Path, prune: bool, extra: str) -> None:
    env = environment(tmp_path, services_excluded=["puabo-nuki-order-processor"], prune_data=prune)
    desired = plan(env, env.host("data1"))
    vhosts, users = state(desired, "vhosts"), state(desired, "users")
    assert (vhosts.extra, users.extra) == (extra, "remove")
    assert "vhost puabo-nuki-order-processor" not in vhosts.items
    assert "user puabo_nuki_order_processor_a" not in users.items
