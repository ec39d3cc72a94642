"""Who is a node of the swarm and as what; the refusals of its host-side code."""

import pytest
from cluster import environment

from roles.kit.agent import base
from roles.kit.agent.base import RemoteError
from roles.swarm import cluster as cluster_side
from roles.swarm import engine, remote
from roles.swarm.join import estranged, invitation
from roles.swarm.plan import leader, managers, network_mtu, plan


def states(env, host):
    return {state.name: state for state in plan(env, env.host(host)).states}


def test_managers_are_an_odd_number(tmp_path):
    def count(hosts):
        return len(managers(environment(tmp_path, groups={f"app{n}": "app" for n in range(hosts)})))

    assert [count(hosts) for hosts in (1, 2, 3, 4, 5)] == [1, 1, 3, 3, 3]


def test_one_host_in_every_group_is_a_swarm(tmp_path):
    env = environment(tmp_path, groups={"box1": "edge app ops postgresql"})
    members = [name for name in states(env, "box1")["swarm_cluster"].items if name.startswith("member")]
    assert members == ["member box1"]
    member = states(env, "box1")["swarm_cluster"].items["member box1"]
    assert member["role"] == "manager"
    assert member["labels"] == {
        "nexus.host": "box1",
        "nexus.app": "true",
        "nexus.edge": "true",
        "nexus.ops": "true",
    }


def test_only_the_first_manager_may_create_and_speaks_for_all(tmp_path):
    env = environment(tmp_path)
    assert [host for host in ("edge1", "app1", "app2", "ops1") if "swarm_cluster" in states(env, host)] == [
        "app1"
    ]
    may_create = {
        host: states(env, host)["swarm_node"].context["may_create"] for host in ("edge1", "app1", "app2")
    }
    assert may_create == {"edge1": False, "app1": True, "app2": False}
    assert states(env, "ops1") == {}  # no node: nothing of the swarm runs there
    assert states(env, "edge1")["swarm_node"].context["role"] == "worker"


def test_a_run_without_a_host_leaves_its_membership_alone(tmp_path):
    env = environment(tmp_path, without="app1")
    assert leader(env).name == "app2"
    cluster = states(env, "app2")["swarm_cluster"]
    assert "member app1" not in cluster.items
    assert cluster.extra == "keep"  # or app1 would be removed from the swarm
    assert states(environment(tmp_path), "app1")["swarm_cluster"].extra == "remove"


def test_network_leaves_room_for_vxlan(tmp_path):
    assert network_mtu(environment(tmp_path)) == 1350
    assert network_mtu(environment(tmp_path, service_network_mtu=1200)) == 1200


def test_drained_hosts_stay_drained(tmp_path):
    cluster = states(environment(tmp_path, swarm_drained=["app3"]), "app1")["swarm_cluster"]
    assert cluster.items["member app3"]["availability"] == "drain"
    assert cluster.items["member app2"]["availability"] == "active"


class Run:
    """A run whose hosts answer as told."""

    left_out = frozenset()

    def __init__(self, env, answers):
        self.environment, self.answers = env, answers

    def ask_source(self, name, source, names, context, libraries):
        assert context == {"want_tokens": True, "directory": "/var/lib/docker/swarm"}
        return self.answers.get(name, {})

    def answer(self, name):
        return {"states": {state: {"items": items} for state, items in self.answers.get(name, {}).items()}}


def test_a_host_is_invited_by_any_manager_that_is_in_a_swarm(tmp_path):
    tokens = {"manager": "M", "worker": "W"}
    run = Run(environment(tmp_path), {"app3": {"tokens": tokens}})
    # also the first manager: after it lost its state it joins again instead of making a second swarm
    assert invitation(run, "app1")["join"] == {"tokens": tokens, "address": "10.0.0.4:2377"}
    assert "join" not in invitation(Run(environment(tmp_path), {}), "app1")


@pytest.mark.parametrize(("listed", "expected"), [("N1", False), ("N2", True), (None, False)])
def test_a_node_that_the_managers_have_removed_is_told_apart(tmp_path, listed, expected):
    cluster = {"member edge1": {"id": listed}} if listed else {}
    answers = {
        "app1": {"swarm_cluster": cluster},
        "edge1": {"swarm_node": {"node": {"state": "active", "id": "N1"}}},
    }
    assert estranged(Run(environment(tmp_path), answers), "edge1") is expected


class Docker:
    """Docker's API as far as these refusals ask it."""

    def __init__(self, answers):
        self.answers = answers

    def ask(self, method, path, body=None):
        return self.answers[f"{method} {path}"]

    def do(self, what, method, path, body=None):
        return self.ask(method, path, body)[1]


def manager(identity, reachability="reachable"):
    return {"ID": identity, "ManagerStatus": {"Reachability": reachability}}


def test_quorum_is_not_given_away():
    healthy = Docker({"GET /nodes": (200, [manager("A"), manager("B"), manager("C")])})
    engine._refuse_quorum_loss(healthy, "A")
    wounded = Docker({"GET /nodes": (200, [manager("A"), manager("B"), manager("C", "unreachable")])})
    engine._refuse_quorum_loss(wounded, "C")  # the dead one may go
    with pytest.raises(RemoteError, match="only 1 answer"):
        engine._refuse_quorum_loss(wounded, "A")
    with pytest.raises(RemoteError, match="of the 0 others"):
        engine._refuse_quorum_loss(Docker({"GET /nodes": (200, [manager("A")])}), "A")


def test_managers_without_a_leader_are_not_a_missing_swarm(monkeypatch):
    monkeypatch.setattr(remote, "SETTLE_SECONDS", -1)
    docker = Docker({"GET /swarm": (503, {"message": "The swarm does not have a leader"})})
    info = {"LocalNodeState": "active", "ControlAvailable": True}
    with pytest.raises(RemoteError, match="does not have a leader"):
        remote._tokens(docker, info)
    assert remote._tokens(docker, {"LocalNodeState": "inactive", "ControlAvailable": False}) == {}


def test_the_newest_node_of_a_host_counts():
    def node(identity, created, state="ready"):
        return {
            "ID": identity,
            "CreatedAt": created,
            "Status": {"State": state, "Addr": "10.0.0.2"},
            "Spec": {"Role": "worker", "Availability": "active"},
            "Description": {"Hostname": "app1.example.com"},
        }

    # a node that just left is still called ready for some seconds
    docker = Docker({"GET /nodes": (200, [node("OLD", "2026-01-01"), node("NEW", "2026-01-02")])})
    found = cluster_side._members(docker, {"10.0.0.2": "app1"})
    assert {name: member["id"] for name, member in found.items()} == {
        "member app1": "NEW",
        "member app1 OLD": "OLD",
    }


class Engine(Docker):
    """An engine that counts how often it is asked for everything."""

    def __init__(self, role, node="N1"):
        info = {"LocalNodeState": role.split("/")[0], "ControlAvailable": role.endswith("manager")}
        super().__init__({"GET /info": (200, {"Swarm": {**info, "NodeID": node, "NodeAddr": "10.0.0.2"}})})
        self.role, self.asked = role, 0

    def swarm(self):
        return self.role

    def ask(self, method, path, body=None):
        self.asked += 1
        return super().ask(method, path, body)


@pytest.fixture
def probe(tmp_path, monkeypatch):
    """Asks an engine as each new probe does; the engine's own files lie at tmp_path."""
    (tmp_path / "certificates").mkdir()
    for name in engine.IDENTITY:
        (tmp_path / name).write_text("N1")
    monkeypatch.setattr(engine, "KNOWN", str(tmp_path / "swarm.json"))

    def ask(docker):
        monkeypatch.setattr(engine, "Docker", lambda timeout: docker)
        monkeypatch.setattr(base, "ONCE", {})  # each probe is a process
        return engine.found_info(str(tmp_path))

    return ask


def test_an_engine_is_asked_for_everything_only_when_it_may_be_another_node(probe, tmp_path):
    docker = Engine("active/manager")
    first = probe(docker)
    assert (first["NodeID"], first["NodeAddr"], docker.asked) == ("N1", "10.0.0.2", 1)
    assert (probe(docker), docker.asked) == (first, 1)
    docker.role = "active/worker"  # demoted from elsewhere
    assert probe(docker) == {**first, "ControlAvailable": False}
    (tmp_path / engine.IDENTITY[1]).write_text("of another node")
    assert probe(Engine("active/manager", "N2"))["NodeID"] == "N2"


@pytest.mark.parametrize("role", ["inactive", "pending", "locked", "error", ""])
def test_an_engine_that_is_no_active_node_is_asked_for_everything(probe, role):
    probe(Engine("active/worker"))
    docker = Engine(role, "")
    assert (probe(docker)["LocalNodeState"], docker.asked) == (role, 1)


def test_an_engine_whose_files_are_not_where_they_are_looked_for_is_asked_for_everything(probe, tmp_path):
    (tmp_path / engine.IDENTITY[0]).unlink()
    docker = Engine("active/worker")
    assert [probe(docker)["NodeID"], probe(docker)["NodeID"], docker.asked] == ["N1", "N1", 2]
