"""Drains and evictions: budgets hold on a real API server."""

from __future__ import annotations

from tests.kubernetes import state
from tests.kubernetes.conftest import NODES, World
from tests.kubernetes.size import replicas

TOO_MANY = 429


def test_a_drain_keeps_the_budgets(applied: World) -> None:
    plane, node = applied.plane, NODES[0]
    there = [each for each in state.pods(plane) if each["spec"]["nodeName"] == node]
    assert len(there) > 10
    with state.fewest(plane) as found:
        plane.kubectl("drain", node, "--timeout=280s")
    assert [each for each in state.pods(plane) if each["spec"].get("nodeName") == node] == []
    several = {name: count for name, count in replicas().items() if count > 1}
    assert len(several) > 30
    assert {name: found[name] for name, count in several.items() if found[name] < count - 1} == {}
    plane.kubectl("uncordon", node)
    state.wait_until(lambda: state.available(plane) == replicas())


def test_a_second_eviction_waits_for_the_first(applied: World) -> None:
    plane = applied.plane
    plane.kubectl("cordon", *NODES)  # so that nothing replaces an evicted pod
    try:
        several = max(replicas(), key=lambda name: replicas()[name])
        first, second, *_ = state.pods(plane, several)
        assert evict(applied, first) == 201
        state.wait_until(lambda: len(state.pending(plane)) == 1)
        assert evict(applied, second) == TOO_MANY
    finally:
        plane.kubectl("uncordon", *NODES)
    state.wait_until(lambda: state.available(plane) == replicas())


def evict(world: World, pod: state.Object) -> int:
    """The status with which the API server answers an eviction."""
    metadata = {name: pod["metadata"][name] for name in ("name", "namespace")}
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/eviction"
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
    return world.plane.session("admin").post(f"{world.plane.address}{path}", json=eviction, timeout=60).status_code
