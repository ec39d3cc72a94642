"""RabbitMQ's cluster by its nodes' reports: which node joins which, which has not joined, which is partitioned."""

from __future__ import annotations

import pytest

from nexus.agent.lib import RemoteError
from roles.rabbitmq.host import cluster
from roles.rabbitmq.host import membership as said_by
from tests.plan.fake_run import StandIn

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


def test_a_member_waits_for_joining_nodes_and_joins_none() -> None:
    both = [TWO, THREE, "rabbit@dead"]
    standing = {ONE: ([ONE], 0), TWO: (both, 1), THREE: (both, 1)}
    assert said_by.together(standing, THREE, TWO)
    assert not said_by.together(standing, ONE, TWO)
    reinstalled = {**standing, THREE: ([THREE], 0)}
    assert not said_by.together(reinstalled, THREE, TWO)


def test_nodes_that_have_not_joined_are_named() -> None:
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
def test_the_cluster_view_of_a_node_is_parsed(
    monkeypatch: pytest.MonkeyPatch, said: str, members: list[str], queues: int
) -> None:
    monkeypatch.setattr(said_by, "control", lambda *words, node=None: said)
    assert said_by.ask("rabbit@data1") == (members, queues)


class Listing(StandIn):
    """A broker with these answers."""

    def __init__(self, **said: list[dict[str, object]]) -> None:
        self.said = said

    def get(self, *path: str) -> list[dict[str, object]]:
        return self.said[path[0]]


def test_nodes_that_a_broker_does_not_see_are_apart_from_it() -> None:
    """Such a node is down or partitioned: before any change, every node is asked directly."""
    nodes = ["rabbit@data1", "rabbit@data2", "rabbit@data3"]
    context = {"node": nodes[2], "nodes": nodes, "there": nodes[1:]}
    listed = [{"name": node, "running": node == nodes[2]} for node in nodes]
    found = cluster.existing(Listing(nodes=listed, queues=[]), context)
    assert found["membership"] == {"missing": [], "apart": ["rabbit@data2"]}, "a host that is left out is not reported"
    found = cluster.existing(Listing(nodes=listed[2:], queues=[]), context)
    assert found["membership"] == {"missing": ["rabbit@data2"], "apart": []}
