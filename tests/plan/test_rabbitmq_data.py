"""Data of a RabbitMQ node that its cluster has removed: recognized by files and by the other nodes' reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError
from roles.rabbitmq.host import stale_data

CONTEXT: dict[str, Any] = {"node": "rabbit@data1", "there": ["rabbit@data1", "rabbit@data2", "rabbit@data3"]}
WHOLE = "{[rabbit@data1,rabbit@data2,rabbit@data3],[rabbit@data1,rabbit@data2,rabbit@data3]}.\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The node's data directory, as it was on a host of the lab; no server runs here."""
    monkeypatch.setattr(stale_data, "HOME", str(tmp_path))
    monkeypatch.setattr(stale_data, "runs", lambda unit="rabbitmq-server": unit == "epmd.socket")
    monkeypatch.setattr(stale_data, "PATIENCE_SECONDS", 1)
    found = tmp_path / "mnesia/rabbit@data1"
    found.mkdir(parents=True)
    (found / "cluster_nodes.config").write_text(WHOLE)
    return found


def others(monkeypatch: pytest.MonkeyPatch, **members: list[str]) -> None:
    """Reports of the other nodes; a node that is not named does not answer."""

    def ask(node: str) -> tuple[list[str], int]:
        if node.removeprefix("rabbit@") not in members:
            raise RemoteError("does not answer")
        return members[node.removeprefix("rabbit@")], 0

    monkeypatch.setattr(stale_data, "ask", ask)


def test_data_of_a_removed_node_is_set_aside(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others(monkeypatch, data3=["rabbit@data3"])
    assert stale_data.probe(["data"], CONTEXT) == {"data": {"usable": False}}
    stale_data.apply(Change({}, ["data"], context=CONTEXT))
    assert not place.exists()
    (kept,) = place.parents[1].glob("left.*")
    assert (kept / "cluster_nodes.config").read_text() == WHOLE
    assert stale_data.probe(["data"], CONTEXT) == {"data": {"usable": True}}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"data2": ["rabbit@data1", "rabbit@data2"]}, {"data": {"usable": True}}),
        ({}, {}),  # no node can tell
    ],
)
def test_a_member_keeps_its_data(
    place: Path, monkeypatch: pytest.MonkeyPatch, said: dict[str, list[str]], found: dict[str, Any]
) -> None:
    others(monkeypatch, **said)
    assert stale_data.probe(["data"], CONTEXT) == found
    stale_data.apply(Change({}, ["data"], context=CONTEXT))
    assert place.exists()


def test_a_running_or_lone_node_is_left_alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others(monkeypatch, data3=["rabbit@data3"])
    monkeypatch.setattr(stale_data, "runs", lambda unit="": True)
    assert stale_data.probe(["data"], CONTEXT) == {"data": {"usable": True}}
    monkeypatch.setattr(stale_data, "runs", lambda unit="": False)
    (place / "cluster_nodes.config").write_text("{[rabbit@data1],[rabbit@data1]}.\n")
    assert stale_data.probe(["data"], CONTEXT) == {"data": {"usable": True}}
