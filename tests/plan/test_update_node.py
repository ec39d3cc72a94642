"""A node that takes no tasks, and takes them again, by the requests that Docker gets."""

from __future__ import annotations

from typing import Any

import pytest

from nexus.agent.lib import RemoteError
from runbooks.update.host import node

ADDRESS = "10.0.0.3"


class Docker:
    """Answers for two nodes; as many of the first requests fail as `elects` says."""

    def __init__(self) -> None:
        self.elects, self.sent = 0, list[tuple[str, Any]]()
        self.nodes = [_node("a", "10.0.0.2"), _node("b", ADDRESS)]
        self.tasks = [["running"], ["shutdown", "complete"]]  # of the node, each time that they are asked for

    def list(self, kind: str, **filters: list[str]) -> list[dict[str, Any]]:
        if self.elects:
            self.elects -= 1
            raise RemoteError("cannot list nodes: the swarm does not have a leader")
        if kind == "nodes":
            return self.nodes
        assert filters == {"node": ["b"]}
        return [{"Status": {"State": state}} for state in self.tasks.pop(0)]

    def do(self, what: str, method: str, path: str, body: Any = None) -> Any:
        if method == "POST":
            self.sent.append((path, body["Availability"]))
        return next(one for one in self.nodes if one["ID"] in path)


def _node(name: str, address: str) -> dict[str, Any]:
    spec = {"Availability": "active", "Role": "manager"}
    return {"ID": name, "Version": {"Index": 7}, "Spec": spec, "Status": {"Addr": address}}


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch) -> Docker:
    found = Docker()
    monkeypatch.setattr(node, "Docker", lambda *_, **__: found)
    monkeypatch.setattr("time.sleep", lambda _: None)
    return found


def test_a_drained_node_is_awaited_until_its_tasks_ended(docker: Docker) -> None:
    node.drain({"address": ADDRESS, "seconds": 30})
    assert docker.sent == [("/nodes/b/update?version=7", "drain")]
    assert docker.tasks == []


def test_a_node_that_takes_tasks_is_left_alone(docker: Docker) -> None:
    node.activate({"address": ADDRESS})
    assert docker.sent == []


def test_an_election_of_managers_is_awaited(docker: Docker) -> None:
    docker.elects = 3
    docker.nodes[1]["Spec"]["Availability"] = "drain"
    node.activate({"address": ADDRESS})
    assert docker.sent == [("/nodes/b/update?version=7", "active")]


def test_an_unknown_node_is_told(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "ELECTION_SECONDS", 0)
    with pytest.raises(RemoteError, match=r"no node of the swarm has the address 10\.0\.0\.9"):
        node.activate({"address": "10.0.0.9"})
