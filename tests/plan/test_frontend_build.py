"""The reference front end itself: built with npm, twice the same, small, with types that fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from nexus.environment.environment import Environment
from roles.frontend import npm
from roles.frontend.build import Build
from roles.frontend.builder import build
from roles.frontend.site import by_slug
from roles.frontend.source import Source, source
from tests.plan.front_end_builds import environment_settings
from tests.plan.real_edge import environment

BUILT = ("portal", "core-os", "puaboverse")


def sourced(env: Environment, slug: str) -> Source:
    found = source(env, by_slug(env)[slug])
    assert found is not None
    return found


def environment_below(directory: Path) -> Environment:
    directory.mkdir()
    return environment(directory, **environment_settings(directory))


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Environment, dict[str, Build]]:
    """Real builds; skipped where packages cannot be installed."""
    env = environment_below(tmp_path_factory.mktemp("builds") / "one")
    try:
        npm.check()
        return env, {slug: build(env, sourced(env, slug)) for slug in BUILT}
    except npm.NotHere as why:
        pytest.skip(f"front ends cannot be built here: {why}")


def test_a_second_build_is_the_same(builds: tuple[Environment, dict[str, Build]], tmp_path: Path) -> None:
    """In another folder, from packages that were installed again: all bytes are the same, compressed ones too."""
    first = builds[1]["core-os"]
    env = environment_below(tmp_path / "two")
    again = build(env, sourced(env, "core-os"))
    assert again.folder != first.folder
    assert (again.release, again.pieces) == (first.release, first.pieces)
    for path in again.pieces:
        assert again.blob(path) == first.blob(path)


def test_builds_are_small_and_name_no_place_of_this_machine(builds: tuple[Environment, dict[str, Build]]) -> None:
    env, made = builds
    for slug, one in made.items():
        assert sum(len(one.blob(path)) for path in one.pieces) < 100_000, slug
        for path in one.pieces:
            data = (one.folder / "files" / path).read_bytes()
            assert str(env.setting.frontend_build_directory).encode() not in data
            assert b"node_modules" not in data


def test_types_of_the_reference_front_end(builds: tuple[Environment, dict[str, Build]], tmp_path: Path) -> None:
    env = builds[0]
    found = sourced(env, "core-os")
    for path, data in found.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    (tmp_path / "node_modules").symlink_to(npm.installed(env, found))
    assert npm.command(env, ["node", "node_modules/typescript/bin/tsc", "-p", "."], tmp_path, {}) is None
