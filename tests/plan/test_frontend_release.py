"""Releases and rollbacks of front ends: what edge hosts show, what is recorded, and what a failed one leaves."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nexus.agent.lib import RemoteError
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from roles.frontend import check
from roles.frontend.host import front_end as on_host
from roles.frontend.host import lost, shown, state
from runbooks.release import front_end
from runbooks.release.front_end import LOST, SHOWN, Session
from tests.plan import front_end_host as edge_host
from tests.plan.front_end_builds import built, environment_settings
from tests.plan.real_edge import environment

SLUG, OTHER = "core-os", "v-suite"
PROBES = {SHOWN: shown.probe, LOST: lost.probe}


class World:
    """The edge hosts of an environment as one folder of this machine, and a run that reaches them."""

    def __init__(self, env: Environment) -> None:
        self.env, self.kept, self.asked, self.broken = env, {}, [], False  # type: ignore[var-annotated]
        edges = [edge.name for edge in env.group("edge")]
        hosts = SimpleNamespace(
            reaches=lambda name: name in edges, members=lambda role: edges, left_out=frozenset(), ask_source=self._ask
        )
        self.changes: dict[str, list[Any]] = defaultdict(list)
        self.run = SimpleNamespace(environment=env, hosts=hosts, outcome=SimpleNamespace(changes=self.changes))

    def _ask(self, edge: str, source: Path, names: list[str], context: Mapping[str, Any]) -> Any:
        self.asked.append(source.stem)
        return PROBES[source](names, context)

    def keep(self, values: Mapping[str, Any]) -> None:
        self.kept.update(values)

    def carry_out(self, run: Any, edge: str, what: str, source: Path, function: str, context: Any) -> None:
        if self.broken:
            raise OperatorError(f"{edge} could not {what}")
        try:
            state.show(context)
        except RemoteError as error:
            raise OperatorError(str(error)) from None

    def session(self, words: str = SLUG) -> Session:
        situation = SimpleNamespace(run=self.run, env=self.env, keep=self.keep)
        return Session(situation, words)  # type: ignore[arg-type]

    def shows(self, slug: str = SLUG) -> str:
        return on_host.current(f"{self.env.setting.frontend_directory}/{slug}")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(os, "sync", lambda: None)
    world = World(environment(tmp_path, frontend_watch_seconds=0, **environment_settings(tmp_path)))
    monkeypatch.setattr(front_end, "carry_out", world.carry_out)
    monkeypatch.setattr(check, "failures", lambda run, wanted: {})
    built(world.env, SLUG, "one")
    edge_host.deliver(world.env)
    edge_host.show(world.env)
    return world


def test_a_release_is_shown_and_recorded_with_what_was_before(world: World) -> None:
    before, build = world.shows(), built(world.env, SLUG, "two")
    edge_host.deliver(world.env)
    session = world.session()
    assert [act.what for act in session.acts()][-1] == f"Show the new release of {SLUG}"
    session._release({SLUG: build})
    assert world.shows() == build.release != before
    assert world.kept[f"frontend {SLUG}"]["release"] == build.release
    assert [str(each) for changes in world.changes.values() for each in changes] == [
        f"release of {SLUG}: {before} -> {build.release}"
    ]
    assert world.asked.count("shown") == len(world.env.group("edge")), "each edge host is asked once"


@pytest.mark.parametrize("broken", [False, True])
def test_a_wrong_page_brings_the_release_of_before_back(
    broken: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = world.shows()
    builds = {slug: built(world.env, slug, "two") for slug in (SLUG, OTHER)}  # the other one showed nothing yet
    edge_host.deliver(world.env)
    session = world.session(f"{SLUG},{OTHER}")
    session.acts()

    def failures(run: Any, wanted: Any) -> dict[str, str]:
        world.broken = broken
        return {SLUG: "edge1: /core-os/ answers 500, expected 200"}

    monkeypatch.setattr(check, "failures", failures)
    with pytest.raises(OperatorError, match="answers 500") as error:
        session._release(builds)
    told = str(error.value)
    assert f"{OTHER} {builds[OTHER].release} stays, since no other release was shown before" in told
    assert (f"{SLUG} {before} is shown again" in told) is not broken
    assert ("COULD NOT BE SHOWN AGAIN" in told) is broken
    assert world.shows() == (builds[SLUG].release if broken else before)
    assert world.kept == {}


def test_a_closed_module_is_asked_for_the_page_of_closed_ones(tmp_path: Path, world: World) -> None:
    asked: list[Any] = []
    world.env = environment(tmp_path / "b", nginx_maintenance=[SLUG], **environment_settings(tmp_path))
    session = world.session()
    session._wrong = lambda wanted: asked.append(wanted) or "end"  # type: ignore[method-assign,func-returns-value]
    with pytest.raises(OperatorError, match="end"):
        session._watch({SLUG: built(world.env, SLUG, "two")}, {})
    assert asked == [{SLUG: {f"/{SLUG}/": [503, ""]}}]


def test_a_rollback_records_before_it_shows(world: World) -> None:
    before = world.shows()
    built(world.env, SLUG, "two")
    edge_host.deliver(world.env)
    edge_host.show(world.env)
    session = world.session()
    session.shown()
    world.broken = True
    with pytest.raises(OperatorError, match="could not show"):
        session.go_back({SLUG: before})
    assert world.kept[f"frontend {SLUG}"]["release"] == before
    world.broken = False
    session.go_back({SLUG: before})
    assert world.shows() == before
