"""One edge host asks services, also in a run that continues without the first edge host."""

from __future__ import annotations

from pathlib import Path

import pytest

from roles.functional.plan import asking
from roles.health import status
from roles.health.plan import plan
from tests.plan.environments import environment

EDGES = {"edge1": "edge", "edge2": "edge", "app1": "app", "ops1": "ops"}


@pytest.mark.parametrize(("without", "one"), [("", "edge1"), ("edge1", "edge2"), ("edge2", "edge1")])
def test_the_first_edge_that_is_not_left_out_asks(tmp_path: Path, without: str, one: str) -> None:
    env = environment(tmp_path, EDGES, without=without)
    assert [host.name for host in env.hosts if plan(env, host).states] == [one]
    assert [host.name for host in env.hosts if status.question(env, host)] == [one]


def test_without_an_edge_no_host_asks(tmp_path: Path) -> None:
    env = environment(tmp_path, {"app1": "app", "ops1": "ops"})
    assert asking(env) == []
    assert not any(status.question(env, host) for host in env.hosts)
