"""Redis from the services' side: each gets in over TLS, to its own keys and to harmless commands; one primary."""

from __future__ import annotations

from typing import Any

import pytest

from hosts.fleet import Fleet
from hosts.item import Item
from hosts.store_question import redis_allowed, redis_refused
from nexus.catalogue import Service
from nexus.environment.quorum import majority
from roles.redis.instance import INSTANCES, Instance, instance_of, replicas_to_write
from roles.redis.users import HEALTH, OWN


def told(fleet: Fleet, hostname: str, one: Instance) -> dict[str, Any]:
    """What one of the two servers of a host answered."""
    found: dict[str, Any] = fleet.answer(hostname, "redis")["instances"][one.name]
    return found


def named(fleet: Fleet, instance: str) -> dict[str, str]:
    """The primary's address as each host's Sentinel has it."""
    members = [host.name for host in fleet.env.group("redis")]
    return {host: fleet.answer(host, "redis")["sentinel"]["primary"][instance] for host in members}


@pytest.mark.services("redis")
def test_log_in(fleet: Fleet, hostname: str, service: Service) -> None:
    answer = told(fleet, hostname, instance_of(service))["logins"][service.name]
    assert answer == "PONG", f"{hostname}: {service.name} cannot log in: {answer}"


@pytest.mark.services("redis")
def test_allowed(fleet: Fleet, hostname: str, service: Service) -> None:
    tried = told(fleet, hostname, instance_of(service))["trials"][service.name]
    refused = [f"{command}: {tried[command]}" for command in redis_allowed(service) if tried[command] != "OK"]
    assert not refused, f"{hostname}: {service.name} may not {'; '.join(refused)}"


@pytest.mark.services("redis")
def test_refused(fleet: Fleet, hostname: str, service: Service) -> None:
    services = instance_of(service).services(fleet.env.catalogue)
    tried = told(fleet, hostname, instance_of(service))["trials"][service.name]
    commands = redis_refused(service, services[services.index(service) - 1])
    let = [f"{command} ({tried[command]})" for command in commands if "no permissions" not in str(tried[command])]
    assert not let, f"{hostname}: {service.name} may {'; '.join(let)}"


@pytest.mark.hosts("redis")
def test_the_health_check_may_ask_for_the_role_alone(fleet: Fleet, hostname: str) -> None:
    for one in INSTANCES:
        tried = told(fleet, hostname, one)["trials"][HEALTH]
        let = [command for command, answer in tried.items() if answer == "OK"]
        assert let == ["ROLE"], f"{hostname}: {HEALTH} may {let} at {one.name}"
    more = fleet.answer(hostname, "redis")["sentinel"]["more"]
    assert "NOPERM" in str(more), f"{hostname}: {HEALTH} is told more than the primary by Sentinel: {more}"


@pytest.mark.hosts("redis")
def test_strangers_are_refused(fleet: Fleet, hostname: str) -> None:
    for one in INSTANCES:
        answer = told(fleet, hostname, one)
        assert "NOAUTH" in str(answer["stranger"]), f"{hostname}: without a password Redis says {answer['stranger']}"
        assert "WRONGPASS" in str(answer["wrong password"]), f"{hostname}: a wrong password: {answer['wrong password']}"
        assert answer["plain text"].startswith("refused"), f"{hostname}: without TLS Redis {answer['plain text']}"
    stranger = fleet.answer(hostname, "redis")["sentinel"]["stranger"]
    assert "NOAUTH" in str(stranger), f"{hostname}: without a password Sentinel says {stranger}"


@pytest.mark.hosts("redis")
def test_users_are_those_of_the_catalogue(fleet: Fleet, hostname: str) -> None:
    for one in INSTANCES:
        wanted = {"default", *OWN.values(), *(service.name for service in one.services(fleet.env.catalogue))}
        found = set(told(fleet, hostname, one)["users"])
        differs = f"{sorted(found - wanted)} not planned, {sorted(wanted - found)} missing"
        assert found == wanted, f"{hostname}: users of Redis, {one.name}: {differs}"


@pytest.mark.hosts("redis")
def test_what_must_stay_is_written_down_and_bounded(fleet: Fleet, hostname: str) -> None:
    for one in INSTANCES:
        limits = told(fleet, hostname, one)["limits"]
        wanted = {
            "min-replicas-to-write": str(replicas_to_write(fleet.env)),
            "min-replicas-max-lag": str(fleet.env.setting.redis_replica_lag_seconds),
            "appendonly": "yes" if one.persistent else "no",
            "appendfsync": "everysec",
        }
        found = {name: limits[name] for name in wanted}
        assert found == wanted, f"{hostname}: {one.name} runs with {found}, planned is {wanted}"


@pytest.mark.planned("sentinel", prefix="replication of ")
def test_one_primary_and_everybody_follows_it(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    name = item.name.removeprefix("replication of ")
    primaries = named(fleet, name)
    assert len(set(primaries.values())) == 1, f"Sentinels do not agree on the primary of {name}: {primaries}"
    role = fleet.answer(item.host, "redis")["instances"][name]["role"]
    primary = primaries[item.host]
    if fleet.env.host(item.host).address == primary:
        assert role[0] == "master", f"{item.host}: Sentinels call it the primary of {name}, it says {role}"
        replicas = len(fleet.env.group("redis")) - 1
        assert len(role[2]) == replicas, f"{item.host}: {len(role[2])} replicas of {name} in touch, not {replicas}"
    else:
        assert (role[0], role[1], role[3]) == ("slave", primary, "connected"), f"{item.host}: {name} is {role}"


@pytest.mark.planned("sentinel", prefix="server of ")
def test_server_has_the_planned_users_and_role(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    one = next(one for one in INSTANCES if one.name == item.name.removeprefix("server of "))
    answer = told(fleet, item.host, one)
    planned = {"default", *OWN.values(), *(service.name for service in one.services(fleet.env.catalogue))}
    assert set(answer["users"]) == planned, f"{item.host}: {one.name}: users are {sorted(answer['users'])}"
    assert answer["role"][0] in ("master", "slave"), f"{item.host}: {one.name} is {answer['role'][0]}"


@pytest.mark.planned("sentinel", prefix="watch over ")
def test_enough_sentinels_to_replace_a_primary(fleet: Fleet, item: Item) -> None:
    wanted = fleet.want(item)
    name = item.name.removeprefix("watch over ")
    answer = fleet.answer(item.host, "redis")["sentinel"]
    members = len(fleet.env.group("redis"))
    assert wanted["quorum"] == majority(members)
    said = str(answer["quorum"][name])
    assert said.startswith(f"OK {members} usable Sentinels"), f"{item.host}: Sentinel says of {name}: {said}"
    assert answer["replicas"][name] == members - 1, f"{item.host}: {answer['replicas'][name]} replicas of {name} known"
