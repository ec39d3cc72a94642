"""The report on capacity, next to what a real scheduler leaves Pending."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.kubernetes import state
from tests.kubernetes.conftest import NODES, World
from tests.kubernetes.nodes import Size
from tests.kubernetes.size import replicas

REPORT = re.compile(r"^\s*(Pending.*?): (?:nothing$|(\d+) replicas)", re.MULTILINE)
GIB = 1024**3
TOLERANCE = 5  # pods; the scheduler breaks ties in its own way
RESERVED_CPUS, RESERVED_GIB = 0.5, 1  # of each node, for the system: settings capacity_reserved_*


def settings(cpus: float, gibibytes: int, gpus: int) -> dict[str, float]:
    """The settings that tell the report about the nodes."""
    sizes = {"kubernetes_node_cpus": cpus, "kubernetes_node_memory_bytes": gibibytes * GIB}
    return {"kubernetes_nodes": len(NODES), "kubernetes_node_gpus": gpus, **sizes}


def size(cpus: float, gibibytes: int, gpus: int) -> Size:
    """The same nodes, with what they have for services."""
    return Size(f"{round((cpus - RESERVED_CPUS) * 1000)}m", f"{gibibytes - RESERVED_GIB}Gi", gpus)


def reported(text: str) -> dict[str, int]:
    """{line of the report: replicas that would be Pending}."""
    found = {name: int(count or 0) for name, count in REPORT.findall(text)}
    assert len(found) == 2, text
    return found


@pytest.mark.parametrize(
    ("nodes", "tolerance"), [((24.0, 64, 1), 0), ((19.0, 64, 2), TOLERANCE)], ids=["graphics processors", "cores"]
)
def test_the_loss_of_a_node(
    empty: World, binaries: Path, nodes: tuple[float, int, int], tolerance: int, capsys: pytest.CaptureFixture[str]
) -> None:
    empty.define(binaries)
    empty.nodes.add(NODES, size(*nodes))
    told = reported(empty.operator.run("--dry", **settings(*nodes)).output)
    assert told["Pending"] == 0
    done = empty.operator.run("-y", **settings(*nodes))
    assert done.status == 0, done.output
    assert state.available(empty.plane) == replicas()
    (fullest, _), *_ = Counter(each["spec"]["nodeName"] for each in state.pods(empty.plane)).most_common()
    empty.nodes.lost.add(fullest)
    state.wait_until(lambda: sum(state.available(empty.plane).values()) < sum(replicas().values()))
    state.wait_until(lambda: settled(empty), 240)
    compare(told["Pending after the loss of one node"], empty, tolerance, capsys)


def test_the_stated_cluster_is_too_small(empty: World, binaries: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty.define(binaries)
    empty.nodes.add(NODES, size(8.0, 32, 0))
    told = reported(empty.operator.run("--dry").output)
    done = empty.operator.run("-y")
    assert done.status != 0, done.output
    assert re.search(r"is not rolled out: Unschedulable: 0/6 nodes are available.*Insufficient cpu", done.output), (
        done.output
    )
    state.wait_until(lambda: settled(empty), 240)
    compare(told["Pending"], empty, TOLERANCE, capsys)


def compare(told: int, world: World, tolerance: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Show what the report told and the cluster has, and fail if they differ by more than the tolerance."""
    left = len(state.pending(world.plane))
    with capsys.disabled():
        print(f"\nPending: reported {told}, found {left}")
    assert left > 0
    assert abs(left - told) <= tolerance


def settled(world: World) -> bool:
    """Whether every pod is on a node that works, or the scheduler has found no room for it."""
    there = state.pods(world.plane)
    waiting = [each for each in there if not each["spec"].get("nodeName")]
    lost = [each for each in there if each["spec"].get("nodeName") in world.nodes.lost]
    refused = [each for each in waiting if "Unschedulable" in str(each["status"].get("conditions"))]
    return not lost and len(there) == sum(replicas().values()) and len(refused) == len(waiting)
