"""Redis from the services' side: each gets in over TLS, to its own keys and to harmless commands."""

from __future__ import annotations

import pytest

from hosts.fleet import Fleet
from hosts.question import redis_allowed, redis_refused
from roles.catalogue import Service
from roles.redis.users import ADMIN


@pytest.mark.services("redis")
def test_log_in(fleet: Fleet, host: str, service: Service) -> None:
    told = fleet.answer(host, "redis")["logins"][service.name]
    assert told == "PONG", f"{host}: {service.name} cannot log in: {told}"


@pytest.mark.services("redis")
def test_allowed(fleet: Fleet, host: str, service: Service) -> None:
    told = fleet.answer(host, "redis")["trials"][service.name]
    refused = [f"{command}: {told[command]}" for command in redis_allowed(service) if told[command] != "OK"]
    assert not refused, f"{host}: {service.name} may not {'; '.join(refused)}"


@pytest.mark.services("redis")
def test_refused(fleet: Fleet, host: str, service: Service) -> None:
    services = fleet.env.catalogue.services_of_store("redis")
    told = fleet.answer(host, "redis")["trials"][service.name]
    commands = redis_refused(service, services[services.index(service) - 1])
    let = [f"{command} ({told[command]})" for command in commands if "no permissions" not in str(told[command])]
    assert not let, f"{host}: {service.name} may {'; '.join(let)}"


@pytest.mark.hosts("redis")
def test_strangers_are_refused(fleet: Fleet, host: str) -> None:
    answer = fleet.answer(host, "redis")
    assert "NOAUTH" in str(answer["stranger"]), f"{host}: without a password Redis says {answer['stranger']}"
    assert "WRONGPASS" in str(answer["wrong password"]), f"{host}: a wrong password: {answer['wrong password']}"
    assert answer["plain text"].startswith("refused"), f"{host}: without TLS Redis {answer['plain text']}"


@pytest.mark.hosts("redis")
def test_users_are_those_of_the_catalogue(fleet: Fleet, host: str) -> None:
    wanted = {"default", ADMIN, *(service.name for service in fleet.env.catalogue.services_of_store("redis"))}
    found = set(fleet.answer(host, "redis")["users"])
    told = f"{sorted(found - wanted)} beside the plan, {sorted(wanted - found)} missing"
    assert found == wanted, f"{host}: users of Redis: {told}"
