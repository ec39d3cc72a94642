"""RabbitMQ from the services' side: log-ins over TLS, each to its own virtual host."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hosts.fleet import Fleet
from hosts.item import Item
from nexus.catalogue import Service


def listed(fleet: Fleet, hostname: str, what: str) -> list[dict[str, Any]]:
    """What the broker's management says of vhosts, users, permissions or exchanges."""
    answer = fleet.web(hostname, f"rabbitmq {what}")
    assert answer["status"] == 200, f"{hostname}: the broker does not list {what}: {answer['status']} {answer['body']}"
    found: list[dict[str, Any]] = json.loads(answer["body"])
    return found


@pytest.mark.planned("rabbitmq vhosts", prefix="vhost ")
def test_vhost(fleet: Fleet, item: Item) -> None:
    wanted, name = fleet.want(item), item.name.removeprefix("vhost ")
    found = [vhost for vhost in listed(fleet, item.host, "vhosts") if vhost["name"] == name]
    assert found, f"{item.host}: virtual host {name} is missing"
    kind = found[0].get("default_queue_type")
    assert kind == wanted["default_queue_type"], f"{item.host}: queues of {name} are {kind} by default, not quorum"


@pytest.mark.planned("rabbitmq vhosts", prefix="exchange ")
def test_exchange(fleet: Fleet, item: Item) -> None:
    wanted, name = fleet.want(item), item.name.removeprefix("exchange ")
    found = [exchange for exchange in listed(fleet, item.host, "exchanges/events") if exchange["name"] == name]
    assert found, f"{item.host}: exchange {name} is missing"
    there = (found[0]["type"], found[0]["durable"])
    planned = (wanted["type"], wanted["durable"])
    assert there == planned, f"{item.host}: exchange {name} is (type, durable) {there}, planned is {planned}"


@pytest.mark.planned("rabbitmq vhosts", prefix="default ")
def test_default_vhost_is_gone(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    names = [vhost["name"] for vhost in listed(fleet, item.host, "vhosts")]
    assert "/" not in names, f'{item.host}: the virtual host "/" that a fresh broker makes is there'


@pytest.mark.planned("rabbitmq users", prefix="default ")
def test_guest_is_gone(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    names = [user["name"] for user in listed(fleet, item.host, "users")]
    assert "guest" not in names, f"{item.host}: the user guest is there, whose password everybody knows"
    told = fleet.answer(item.host, "rabbitmq")["logins"]["guest"]
    assert told.startswith("403"), f"{item.host}: guest logs in: {told}"


@pytest.mark.planned("rabbitmq users", prefix="user ")
def test_user(fleet: Fleet, item: Item) -> None:
    wanted, name = fleet.want(item), item.name.removeprefix("user ")
    found = [user for user in listed(fleet, item.host, "users") if user["name"] == name]
    assert found, f"{item.host}: user {name} is missing"
    administers = "administrator" in found[0]["tags"]
    assert administers == wanted["administrator"], f"{item.host}: user {name} has the tags {found[0]['tags']}"
    if wanted["administrator"]:
        return
    permissions = {
        entry["vhost"]: [entry[verb] for verb in ("configure", "write", "read")]
        for entry in listed(fleet, item.host, "permissions")
        if entry["user"] == name
    }
    planned = wanted["permissions"]
    assert permissions == planned, f"{item.host}: user {name} may {permissions}, planned is {planned}"


@pytest.mark.services("rabbitmq")
def test_both_log_ins_open_their_vhost(fleet: Fleet, hostname: str, service: Service) -> None:
    logins = fleet.answer(hostname, "rabbitmq")["logins"]
    for which in ("a", "b"):
        user = f"{service.database}_{which}"
        assert logins[user] == "open", f"{hostname}: {user} at {service.name}: {logins[user]}"


@pytest.mark.services("rabbitmq")
def test_other_vhosts_are_refused(fleet: Fleet, hostname: str, service: Service) -> None:
    logins, user = fleet.answer(hostname, "rabbitmq")["logins"], f"{service.database}_a"
    tried = [name for name in logins if name.startswith(f"{user} ")]
    assert len(tried) >= 2, f"{hostname}: not all was tried: {tried}"
    let_in = [f"{name}: {logins[name]}" for name in tried if not logins[name].startswith(("403", "530"))]
    assert not let_in, f"{hostname}: {'; '.join(let_in)}"


@pytest.mark.hosts("rabbitmq")
def test_management_is_for_the_administrator(fleet: Fleet, hostname: str) -> None:
    for who in ("a service", "guest"):
        status = fleet.web(hostname, f"rabbitmq management as {who}")["status"]
        assert status == 401, f"{hostname}: the management of the broker answers {who} with {status}"


@pytest.mark.hosts("rabbitmq")
def test_plain_text_is_refused(fleet: Fleet, hostname: str) -> None:
    told = fleet.answer(hostname, "rabbitmq")["plain text"]
    assert told.startswith("refused"), f"{hostname}: without TLS the broker {told}"


@pytest.mark.planned("rabbitmq cluster", prefix="membership")
def test_every_node_of_the_inventory_runs(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    _nodes_are_those_of_the_inventory(fleet, item.host)


@pytest.mark.planned("rabbitmq cluster", prefix="node")
def test_node_takes_messages(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    if item.name != "node":
        return
    own = [node for node in listed(fleet, item.host, "nodes") if node["name"] == f"rabbit@{item.host}"]
    assert own, f"{item.host}: the broker does not list its own node"
    why = [what for what in ("mem_alarm", "disk_free_alarm", "being_drained") if own[0].get(what)]
    assert not why, f"{item.host}: the node takes no messages: {', '.join(why)}"


@pytest.mark.planned("rabbitmq users", prefix="other users")
def test_no_user_that_nobody_planned(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    planned = {other.name.removeprefix("user ") for other in fleet.wanted if other.kind == "rabbitmq users"}
    others = sorted({user["name"] for user in listed(fleet, item.host, "users")} - planned)
    assert not others, f"{item.host}: users of the broker that nobody planned: {', '.join(others)}"


@pytest.mark.planned("rabbitmq vhosts", prefix="policies")
def test_no_policy_that_nobody_planned(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    found = [f"{policy['vhost']}/{policy['name']}" for policy in listed(fleet, item.host, "policies")]
    assert not found, f"{item.host}: policies of the broker that nobody planned: {', '.join(found)}"


@pytest.mark.planned("rabbitmq data")
def test_its_data_is_that_of_the_cluster(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    _nodes_are_those_of_the_inventory(fleet, item.host)


@pytest.mark.planned("rabbitmq cluster", prefix="nodes")
def test_no_other_node_is_a_member(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    _nodes_are_those_of_the_inventory(fleet, item.host)


def _nodes_are_those_of_the_inventory(fleet: Fleet, hostname: str) -> None:
    found = {node["name"]: node.get("running") for node in listed(fleet, hostname, "nodes")}
    wanted = {f"rabbit@{member.name}": True for member in fleet.env.group("rabbitmq")}
    assert found == wanted, f"{hostname}: nodes and whether they run are {found}, planned is {wanted}"


@pytest.mark.planned("rabbitmq cluster", prefix="quorum queues")
def test_every_quorum_queue_has_a_member_on_every_node(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    node = f"rabbit@{item.host}"
    queues = [queue for queue in listed(fleet, item.host, "queues") if queue.get("type") == "quorum"]
    without = [queue["name"] for queue in queues if node not in queue.get("members", [])]
    assert not without, f"{item.host}: quorum queues without a member there: {', '.join(without[:5])}"


@pytest.mark.hosts("rabbitmq")
def test_durable_queues_are_replicated(fleet: Fleet, hostname: str) -> None:
    found = [queue for queue in listed(fleet, hostname, "queues") if queue["durable"] and not queue.get("exclusive")]
    single = [f"{queue['vhost']}/{queue['name']}" for queue in found if queue.get("type") not in ("quorum", "stream")]
    assert not single, f"{hostname}: durable queues on one node alone: {', '.join(single[:5])}"
