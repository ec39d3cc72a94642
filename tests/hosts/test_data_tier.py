"""Who is primary and who agrees on it: etcd, Patroni and the proxy, asked as their clients ask them."""

from __future__ import annotations

from typing import Any

import pytest

from hosts.fleet import Fleet
from hosts.item import Item
from hosts.store_question import shared_out

UNAUTHORISED = (401, 403)


@pytest.mark.planned("etcd members")
def test_etcd_member(fleet: Fleet, item: Item) -> None:
    wanted, answer = fleet.want(item), fleet.answer(item.host, "etcd")
    name = item.name.removeprefix("member ")
    assert name in answer["members"], f"{item.host}: etcd does not know {name}, only {sorted(answer['members'])}"
    assert answer["members"][name] == wanted["votes"], f"{item.host}: {name} has no vote in etcd"
    peers = answer["peers"][name]
    assert peers == [wanted["peer"]], f"{item.host}: etcd reaches {name} at {peers}, planned is {wanted['peer']}"


@pytest.mark.planned("etcd data")
def test_etcd_is_healthy(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    answer = fleet.answer(item.host, "etcd")
    members = {host.name for host in fleet.env.group("etcd")}
    assert set(answer["members"]) == members, f"{item.host}: members of etcd are {sorted(answer['members'])}"
    assert answer["healthy"] == [True] * len(members), f"{item.host}: healthy members of etcd: {answer['healthy']}"


@pytest.mark.hosts("etcd")
def test_etcd_answers_nobody_without_a_certificate(fleet: Fleet, hostname: str) -> None:
    said = fleet.answer(hostname, "etcd")["stranger"]
    assert said.startswith("refused") or not said, f"{hostname}: etcd answered a stranger: {said}"


def members(fleet: Fleet, hostname: str) -> dict[str, Any]:
    """What every member of PostgreSQL answered to this host."""
    answer: dict[str, Any] = fleet.answer(hostname, "patroni")
    return answer


@pytest.mark.hosts("postgresql")
def test_one_member_is_primary_and_all_others_stream(fleet: Fleet, hostname: str) -> None:
    found = members(fleet, hostname)
    primaries = [name for name, answers in found.items() if answers["/primary"][0] == 200]
    assert len(primaries) == 1, f"{hostname}: primaries of PostgreSQL are {primaries}"
    replicas = {name: answers for name, answers in found.items() if name not in primaries}
    for name, answers in replicas.items():
        status, told = answers["/replica"]
        assert status == 200, f"{hostname}: {name} is not a replica that can be read: {told}"
        assert told.get("replication_state") == "streaming", f"{hostname}: {name} does not stream: {told}"
    if replicas:
        synchronous = [name for name, answers in replicas.items() if answers["/patroni"][1].get("sync_standby")]
        assert synchronous, f"{hostname}: no replica is synchronous, so writes are on one host only"


@pytest.mark.hosts("postgresql")
def test_patroni_takes_nothing_from_strangers(fleet: Fleet, hostname: str) -> None:
    for name, answers in members(fleet, hostname).items():
        status, told = answers["change"]
        assert status in UNAUTHORISED, f"{hostname}: {name} answered a change without login with {status} {told}"


@pytest.mark.planned("patroni", prefix="config")
def test_settings_of_the_cluster(fleet: Fleet, item: Item) -> None:
    wanted = {key: value for key, value in fleet.want(item).items() if key not in ("name", "others")}
    for name, answers in members(fleet, item.host).items():
        settings = answers["/config"][1]
        found = {key: _at(settings, key) for key in wanted}
        wrong = {key: found[key] for key, value in wanted.items() if found[key] != value}
        assert not wrong, f"{item.host}: {name} has the cluster's settings {wrong}, planned is other"


@pytest.mark.planned("patroni", prefix="member ")
def test_member_runs_with_its_settings(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    name = item.name.removeprefix("member ")
    told = members(fleet, item.host)[name]["/patroni"][1]
    assert told["state"] == "running", f"{item.host}: PostgreSQL on {name} is {told['state']}"
    assert not told.get("pending_restart"), f"{item.host}: PostgreSQL on {name} waits for a restart"


def _at(settings: Any, path: str) -> Any:
    for part in path.split("."):
        settings = settings.get(part) if isinstance(settings, dict) else None
    return settings


@pytest.mark.hosts("app")
def test_services_reach_postgresql_through_the_proxy(fleet: Fleet, hostname: str) -> None:
    if not fleet.env.present("postgresql"):
        pytest.skip("there is no PostgreSQL here")
    answer = fleet.answer(hostname, "proxy")
    several = len(fleet.env.group("postgresql")) > 1
    for way, recovers in (("postgresql", "f"), ("postgresql-direct", "f"), ("postgresql-replicas", "ft"[several])):
        every = fleet.env.catalogue.services_of_store("postgresql")
        for service in every if way == "postgresql" else shared_out(fleet.env, fleet.env.host(hostname), "app"):
            for user, _ in fleet.env.logins("postgresql", service.name):
                told = answer[way][user]
                wanted = [user, service.database, service.database, recovers]
                assert told.get("row") == wanted, f"{hostname}: {user} through {way} is {told}, planned is {wanted}"


@pytest.mark.hosts("app")
def test_the_proxy_lets_nobody_else_in(fleet: Fleet, hostname: str) -> None:
    if not fleet.env.present("postgresql"):
        pytest.skip("there is no PostgreSQL here")
    for way, answers in fleet.answer(hostname, "proxy").items():
        for login in ("a wrong password", "another database"):
            assert "Refused" in answers[login].get("error", ""), f"{hostname}: {login} through {way}: {answers[login]}"
