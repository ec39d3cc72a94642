"""The program of ops hosts against a real authority: one order, the same certificate on every edge host."""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from nexus.pki.ca import Authority
from tests.plan.acme_authority import reason_to_skip
from tests.plan.acme_world import DOMAIN, World

pytestmark = [
    pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip() or "-"),
    pytest.mark.timeout(300),
]


@pytest.fixture
def world(tmp_path: Path, authority: Authority) -> Iterator[World]:
    made = World(tmp_path, authority)
    try:
        yield made
    finally:
        made.close()


def test_one_order_for_three_edge_hosts(world: World) -> None:
    internal = world.serials()
    status, said = world.run()
    assert status == 0, said
    assert world.first.orders == 1
    record = world.record()
    assert world.serials() == {record["serial"]}
    assert record["serial"] not in internal
    assert record["names"] == sorted([DOMAIN, f"api.{DOMAIN}"])
    assert [edge.reloads() for edge in world.edges] == [1, 1, 1]
    assert all(edge.public for edge in world.edges)
    assert "PRIVATE KEY" not in said
