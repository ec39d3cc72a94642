"""Front ends in a run: they are built once, before any host is compared with its plan."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from roles import frontend
from roles.frontend import builder
from roles.frontend.site import sites
from tests.plan.front_end_builds import environment_settings
from tests.plan.real_edge import environment


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    return environment(tmp_path, **environment_settings(tmp_path))


@pytest.mark.parametrize("dry", [True, False])
def test_hosts_are_planned_again_once_front_ends_are_built(
    dry: bool, env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were planned while the run connected to them, without these builds."""
    done: list[str] = []
    hosts = SimpleNamespace(memory=SimpleNamespace(kept={}), replan=lambda: done.append("planned again"))
    outcome = SimpleNamespace(note=lambda role, text: done.append(text))
    monkeypatch.setattr(builder, "build_all", lambda env, wanted: done.append(f"built {len(wanted)}"))
    builder.build_missing(SimpleNamespace(environment=env, hosts=hosts, outcome=outcome, dry=dry))  # type: ignore[arg-type]
    if dry:
        assert "not built here yet" in " ".join(done)
    else:
        assert done == [f"built {len(sites(env))}", "planned again"]


class SomeRun:
    """A run that reaches some of two edge hosts."""

    def __init__(self, without: tuple[str, ...] = (), limit: tuple[str, ...] = ()) -> None:
        edges = ["edge1", "edge2"]
        self.environment = SimpleNamespace(
            group=lambda name: [SimpleNamespace(name=edge) for edge in edges],
            setting=SimpleNamespace(frontend_build=True),
        )
        there = [name for name in edges if name not in without and (not limit or name in limit)]
        self.hosts = SimpleNamespace(
            reaches=lambda name: name in there, members=lambda role: edges, left_out=frozenset(without)
        )


def hosts_in_parallel(run: SomeRun, monkeypatch: pytest.MonkeyPatch, build: Any) -> list[Any]:
    """The deploy file of each host, which calls for builds twice; what each of them ends with."""
    monkeypatch.setattr(frontend, "current_run", lambda: run)
    monkeypatch.setattr(frontend, "build_missing", build)

    def deploy() -> None:
        frontend.build_front_ends()
        frontend.build_front_ends()

    hosts = [gevent.spawn(deploy) for _ in range(5)]
    gevent.joinall(hosts)
    return [host.exception for host in hosts]


def test_a_run_builds_once_and_every_host_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def build(run: Any) -> None:
        done.append("begun")
        gevent.sleep(0.01)
        done.append("ended")

    assert hosts_in_parallel(SomeRun(), monkeypatch, build) == [None] * 5
    assert done == ["begun", "ended"]


def test_a_build_that_fails_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def build(run: Any) -> None:
        done.append("begun")
        raise OperatorError("no such thing")

    ended = hosts_in_parallel(SomeRun(), monkeypatch, build)
    assert [str(error) for error in ended] == ["no such thing"] * 5
    assert done == ["begun"]


@pytest.mark.parametrize(("without", "limit", "builds"), [(("edge1",), (), 1), ((), ("edge2",), 0), ((), ("app1",), 0)])
def test_a_run_without_an_edge_host_builds_and_a_limited_one_does_not(
    without: tuple[str, ...], limit: tuple[str, ...], builds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Any] = []
    hosts_in_parallel(SomeRun(without, limit), monkeypatch, done.append)
    assert len(done) == builds
