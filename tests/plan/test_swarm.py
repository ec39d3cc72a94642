"""Which hosts are nodes of the swarm, in which role; the refusals of its host-side code."""

import pytest

from nexus.agent import lib
from nexus.agent.lib import RemoteError
from roles.swarm.host import cluster as cluster_side
from roles.swarm.host import engine, state
from roles.swarm.join import estranged, invitation
from roles.swarm.plan import leader, managers, network_mtu, plan
from tests.plan.environments import environment
from tests.plan.fake_run import FakeRun, StandIn


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
    assert member["labels"] == {"nexus.host": "box1", "nexus.app": "true", "nexus.edge": "true", "nexus.ops": "true"}


def test_only_the_first_manager_may_create_and_speaks_for_all(tmp_path):
    env = environment(tmp_path)
    assert [host for host in ("edge1", "app1", "app2", "ops1") if "swarm_cluster" in states(env, host)] == ["app1"]
    may_create = {host: states(env, host)["swarm_node"].context["may_create"] for host in ("edge1", "app1", "app2")}
    assert may_create == {"edge1": False, "app1": True, "app2": False}
    assert states(env, "ops1") == {}  # not a node: nothing of the swarm runs there
    assert states(env, "edge1")["swarm_node"].context["role"] == "worker"


def test_a_run_without_a_host_leaves_its_membership_alone(tmp_path):
    env = environment(tmp_path, without="app1")
    assert leader(env).name == "app2"
    cluster = states(env, "app2")["swarm_cluster"]
    assert "member app1" not in cluster.items
    assert cluster.extra == "keep"  # otherwise app1 would be removed from the swarm
    assert states(environment(tmp_path), "app1")["swarm_cluster"].extra == "remove"


def test_network_leaves_room_for_vxlan(tmp_path):
    assert network_mtu(environment(tmp_path)) == 1350
    assert network_mtu(environment(tmp_path, service_network_mtu=1200)) == 1200


def test_drained_hosts_stay_drained(tmp_path):
    cluster = states(environment(tmp_path, swarm_drained=["app3"]), "app1")["swarm_cluster"]
    assert cluster.items["member app3"]["availability"] == "drain"
    assert cluster.items["member app2"]["availability"] == "active"


class Run(FakeRun):
    """A run whose hosts give prepared answers."""

    left_out: frozenset[str] = frozenset()

    def __init__(self, env, answers):
        self.environment, self.answers = env, answers

    def ask_source(self, name, source, names, context):
        assert context == {"want_tokens": True}
        return self.answers.get(name, {})

    def answer(self, name):
        return {"states": {state: {"items": items} for state, items in self.answers.get(name, {}).items()}}


def test_any_manager_in_a_swarm_can_invite_a_host(tmp_path):
    tokens = {"manager": "M", "worker": "W"}
    run = Run(environment(tmp_path), {"app3": {"tokens": tokens}})
    # also the first manager: after it lost its state it joins again instead of making a second swarm
    assert invitation(run, "app1")["join"] == {"tokens": tokens, "address": "10.0.0.4:2377"}
    assert "join" not in invitation(Run(environment(tmp_path), {}), "app1")


@pytest.mark.parametrize(("listed", "expected"), [("N1", False), ("N2", True), (None, False)])
def test_a_removed_node_is_recognized(tmp_path, listed, expected):
    cluster = {"member edge1": {"id": listed}} if listed else {}
    answers = {"app1": {"swarm_cluster": cluster}, "edge1": {"swarm_node": {"node": {"state": "active", "id": "N1"}}}}
    assert estranged(Run(environment(tmp_path), answers), "edge1") is expected


class Docker(StandIn):
    """The part of Docker's API that these refusals use."""

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
    with pytest.raises(RemoteError, match="only 1 of the 2 others answer"):
        engine._refuse_quorum_loss(wounded, "A")
    with pytest.raises(RemoteError, match="of the 0 others"):
        engine._refuse_quorum_loss(Docker({"GET /nodes": (200, [manager("A")])}), "A")


def test_managers_without_a_leader_are_not_a_missing_swarm(monkeypatch):
    monkeypatch.setattr(state, "SETTLE_SECONDS", -1)
    info = {"LocalNodeState": "active", "ControlAvailable": True}
    silent = (503, {"message": "The swarm does not have a leader"})
    docker = Docker({"GET /swarm": silent, "GET /info": (200, {"Swarm": info})})
    with pytest.raises(RemoteError, match="does not have a leader"):
        state._tokens(docker, info)
    assert state._tokens(docker, {"LocalNodeState": "inactive", "ControlAvailable": False}) == {}


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
    assert {name: member["id"] for name, member in found.items()} == {"member app1": "NEW", "member app1 OLD": "OLD"}


def test_an_engine_is_asked_once_a_probe(monkeypatch):
    """All states share one question; the next probe asks again, since the host may have been demoted meanwhile."""
    asked = []

    class Engine(Docker):
        def ask(self, method, path, body=None):
            asked.append(path)
            return super().ask(method, path, body)

    for manages in (True, False):
        info = {"LocalNodeState": "active", "ControlAvailable": manages, "NodeID": "N1"}
        docker = Engine({"GET /info": (200, {"Swarm": info})})
        monkeypatch.setattr(engine, "Docker", lambda timeout, docker=docker: docker)
        monkeypatch.setattr(lib, "ONCE", {})  # each probe is a process
        assert engine.found_info() == engine.found_info() == info
    assert asked == ["/info", "/info"]


def test_an_engine_without_an_answer_has_no_state(monkeypatch):
    def refuse(timeout):
        raise ConnectionRefusedError

    monkeypatch.setattr(engine, "Docker", refuse)
    monkeypatch.setattr(lib, "ONCE", {})
    assert engine.found_info() == {}
