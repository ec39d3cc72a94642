"""RabbitMQ as planned: virtual hosts, what each service may touch, and where the node listens."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from base64 import b64decode, b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from roles.kit.agent.base import RemoteError
from roles.kit.error import OperatorError
from roles.kit.model import Desired, State
from roles.rabbitmq import cluster
from roles.rabbitmq import standing as said_by
from roles.rabbitmq.api import Api, Refused
from roles.rabbitmq.plan import COOKIE, DIRECTORY, DROP_IN, MAY_STOP, UNIT, notes, plan
from roles.rabbitmq.users import event_permissions, password_hash
from tests.plan.store import ADDRESS, GIB, environment, file, text, told


def state(desired: Desired, name: str) -> State:
    return next(found for found in desired.states if found.name == f"rabbitmq {name}")


def settings(content: str) -> dict[str, str]:
    return dict(line.split(" = ", 1) for line in content.splitlines() if " = " in line)


def test_every_service_has_a_vhost_with_quorum_queues_and_two_logins(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    vhosts, users = (state(desired, name).items for name in ("vhosts", "users"))
    services = env.catalogue.services_of_store("rabbitmq")
    assert len(services) == 15
    for service in services:
        assert vhosts[f"vhost {service.name}"] == {"default_queue_type": "quorum"}
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
        ("billing-service", 0, "billing-service.created", True),  # a queue of its own
        ("billing-service", 2, "ledger-mgr.created", False),
        ("billing-service", 1, "billing-serviceXcreated", False),
    ],
)
def test_events_reach_those_who_consume_them(
    tmp_path: Path, service: str, verb: int, name: str, may: bool
) -> None:
    catalogue = environment(tmp_path).catalogue
    patterns = event_permissions(catalogue, catalogue.service(service))
    assert bool(re.search(patterns[verb], name)) is may


def test_who_has_no_part_in_events_has_no_way_to_them(tmp_path: Path) -> None:
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
    assert (
        password_hash("user", "secret") == password_hash("user", "secret") != password_hash("other", "secret")
    )


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


def test_the_network_sees_tls_and_nothing_else(tmp_path: Path) -> None:
    env = environment(tmp_path, rabbitmq_port=5999)
    desired = plan(env, env.host("data1"))
    found = settings(text(desired, f"{DIRECTORY}/rabbitmq.conf"))
    assert found["listeners.tcp"] == "none"
    assert found["listeners.ssl.1"] == f"{ADDRESS}:5999"
    assert found["management.tcp.ip"] == "127.0.0.1"
    environment_file = text(desired, f"{DIRECTORY}/rabbitmq-env.conf")
    assert "NODENAME=rabbit@data1\n" in environment_file
    assert "-proto_dist inet_tls" in environment_file
    assert f"inet_dist_use_interface {{{ADDRESS.replace('.', ',')}}}" in environment_file
    distribution = text(desired, f"{DIRECTORY}/distribution.config")
    assert distribution.count("{verify, verify_peer}") == 2
    assert "{fail_if_no_peer_cert, true}" in distribution


def test_name_and_address_of_the_node_are_there_before_its_package_starts_it(tmp_path: Path) -> None:
    env = environment(tmp_path)
    early = {item.path for item in plan(env, env.host("data1")).early}
    assert {f"{DIRECTORY}/rabbitmq-env.conf", f"{DIRECTORY}/erl_inetrc", DROP_IN} < early


def test_no_node_starts_before_all_of_its_configuration_is_there(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    condition = re.search("ConditionPathExists=(.*)", text(desired, DROP_IN))
    assert condition
    assert condition[1] in {item.path for item in desired.files}
    assert condition[1] not in {item.path for item in desired.early}


def test_memory_and_disk_limits_follow_settings(tmp_path: Path) -> None:
    env = environment(tmp_path, memory_gib=24, rabbitmq_memory_percent=4, rabbitmq_disk_free_limit_mb=512)
    found = settings(text(plan(env, env.host("data1")), f"{DIRECTORY}/rabbitmq.conf"))
    assert found["vm_memory_high_watermark.absolute"] == str(24 * GIB * 4 // 100)
    assert found["disk_free_limit.absolute"] == "512MB"


@pytest.mark.parametrize(("prune", "extra"), [(False, "report"), (True, "remove")])
def test_who_left_cannot_log_in_and_its_queues_stay_until_told(
    tmp_path: Path, prune: bool, extra: str
) -> None:
    env = environment(tmp_path, services_excluded=["puabo-nuki-order-processor"], prune_data=prune)
    desired = plan(env, env.host("data1"))
    vhosts, users = state(desired, "vhosts"), state(desired, "users")
    assert (vhosts.extra, users.extra) == (extra, "remove")
    assert "vhost puabo-nuki-order-processor" not in vhosts.items
    assert "user puabo_nuki_order_processor_a" not in users.items


def test_one_host_speaks_for_the_cluster(tmp_path: Path) -> None:
    for without, speaker in (("", "data1"), ("data1", "data2")):
        env = environment(tmp_path, data=3, without=without)
        found = {host.name: plan(env, host).states for host in env.group("rabbitmq")}
        speakers = [name for name, states in found.items() if len(states) == 4]
        assert speakers == [speaker]
        assert all("nodes" in states[1].items for name, states in found.items() if name == speaker)
        there = ["rabbit@data2", "rabbit@data3"] if without else ["rabbit@data1", "rabbit@data2", "rabbit@data3"]
        assert found["data3"][0].context["there"] == there


def test_every_node_knows_the_others_and_stops_rather_than_diverge(tmp_path: Path) -> None:
    env = environment(tmp_path, data=3)
    desired = plan(env, env.host("data2"))
    names = text(desired, f"{DIRECTORY}/erl_inetrc")
    assert [f'{{10,9,0,{30 + n}}}, ["data{n}"]' in names for n in (1, 2, 3)] == [True] * 3
    assert settings(text(desired, f"{DIRECTORY}/rabbitmq.conf"))["cluster_partition_handling"] == "pause_minority"
    unit = next(unit for unit in desired.units if unit.name == UNIT)
    assert unit.restart_check == MAY_STOP
    cookies = {file(plan(env, host), COOKIE).data for host in env.group("rabbitmq")}
    assert len(cookies) == 1


def test_no_member_is_restarted_for_one_that_comes(tmp_path: Path) -> None:
    found = []
    for data in (1, 3):
        env = environment(tmp_path, data=data)
        desired = plan(env, env.host("data1"))
        unit = next(unit for unit in desired.units if unit.name == UNIT)
        contents = {each.path: each.data for each in (*desired.early, *desired.files)}
        contents[COOKIE] = b"each of these environments has secrets of its own"
        found.append([{path: contents[path] for path in paths} for paths in (unit.restart_on, unit.reload_on)])
    (before, names), (after, more_names) = found
    assert before == after
    assert names != more_names


@pytest.mark.parametrize("data", [2, 4])
def test_a_number_of_nodes_that_outlives_no_loss_is_refused(tmp_path: Path, data: int) -> None:
    with pytest.raises(OperatorError, match=f"rabbitmq names {data} hosts"):
        notes(environment(tmp_path, data=data))


ONE, TWO, THREE = "rabbit@data1", "rabbit@data2", "rabbit@data3"


@pytest.mark.parametrize(
    ("standing", "seed"),
    [
        ({ONE: ([ONE], 0), TWO: ([TWO], 0), THREE: ([THREE], 0)}, ONE),  # the very first start
        ({ONE: ([ONE], 0), TWO: ([TWO], 4), THREE: ([THREE], 0)}, TWO),  # grown from a lone host
        ({ONE: ([ONE], 0), TWO: ([ONE, TWO, THREE], 4), THREE: ([ONE, TWO, THREE], 4)}, TWO),  # replaced
        ({ONE: ([ONE, TWO], 0), TWO: ([ONE, TWO], 0), THREE: ([THREE], 0)}, ONE),  # a first run that was killed
    ],
)
def test_every_host_joins_the_same_node(standing: dict[str, tuple[list[str], int]], seed: str) -> None:
    assert said_by.choose(standing, [ONE, TWO, THREE]) == seed


def test_a_member_waits_for_those_who_join_and_joins_nobody() -> None:
    both = [TWO, THREE, "rabbit@dead"]
    standing = {ONE: ([ONE], 0), TWO: (both, 1), THREE: (both, 1)}
    assert said_by.together(standing, THREE, TWO)
    assert not said_by.together(standing, ONE, TWO)
    made_anew = {**standing, THREE: ([THREE], 0)}
    assert not said_by.together(made_anew, THREE, TWO)


def test_those_who_have_not_joined_are_named() -> None:
    assert said_by.expect_members([ONE, TWO], [ONE], ONE) == [ONE, TWO]
    with pytest.raises(RemoteError, match=f"{TWO} did not join {ONE}"):
        said_by.expect_members([ONE], [ONE, TWO], ONE)


def test_queues_on_two_lone_nodes_are_the_operators_decision() -> None:
    with pytest.raises(RemoteError, match=f"{ONE}, {THREE} each hold queues"):
        said_by.choose({ONE: ([ONE], 1), TWO: ([TWO], 0), THREE: ([THREE], 2)}, [ONE, TWO, THREE])


@pytest.mark.parametrize(
    ("said", "members", "queues"),
    [
        ("{[rabbit@data1],0}\n", ["rabbit@data1"], 0),
        ("{['rabbit@data1.staging',\n  'rabbit@data2.staging'],\n 12}\n",
         ["rabbit@data1.staging", "rabbit@data2.staging"], 12),
    ],
)  # fmt: skip
def test_what_a_node_says_of_its_cluster(
    monkeypatch: pytest.MonkeyPatch, said: str, members: list[str], queues: int
) -> None:
    monkeypatch.setattr(said_by, "control", lambda *words, node=None: said)
    assert said_by.ask("rabbit@data1") == (members, queues)


class _Broker(BaseHTTPRequestHandler):
    """A management API that knows one password, and another one once a user was written."""

    password = "old"

    def do_GET(self) -> None:
        self.answer()

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.answer():
            type(self).password = "new"

    def answer(self) -> bool:
        wanted = b64encode(f"nexus-admin:{self.password}".encode()).decode()
        known = self.headers["Authorization"] == f"Basic {wanted}"
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")
        return known

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_an_administrator_whose_password_is_being_changed_is_let_in_before_and_after() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Broker)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        api = Api({"port": server.server_port, "user": "nexus-admin", "passwords": ["new", "old"]})
        assert api.get("users") == []
        api.put({"password_hash": "x"}, "users", "nexus-admin")
        assert api.get("users") == []  # by the new one
        api.close()
        api = Api({"port": server.server_port, "user": "nexus-admin", "passwords": ["older"]})
        with pytest.raises(Refused, match="answered 401"):
            api.get("users")
    finally:
        server.shutdown()


class Listing:
    """A broker that says these things."""

    def __init__(self, **said: list[dict[str, object]]) -> None:
        self.said = said

    def get(self, *path: str) -> list[dict[str, object]]:
        return self.said[path[0]]


def test_nodes_that_a_broker_does_not_see_are_apart_from_it() -> None:
    """Down or beyond a partition: before anything is done about it, every node is asked itself."""
    nodes = ["rabbit@data1", "rabbit@data2", "rabbit@data3"]
    context = {"node": nodes[2], "nodes": nodes, "there": nodes[1:]}
    listed = [{"name": node, "running": node == nodes[2]} for node in nodes]
    found = cluster.existing(Listing(nodes=listed, queues=[]), context)
    assert found["membership"] == {"missing": [], "apart": ["rabbit@data2"]}, "a host that is left out is no concern"
    found = cluster.existing(Listing(nodes=listed[2:], queues=[]), context)
    assert found["membership"] == {"missing": ["rabbit@data2"], "apart": []}
