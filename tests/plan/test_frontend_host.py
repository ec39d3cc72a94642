"""Front ends on an edge host: what the host-side code makes of a plan, also where it is killed."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from nexus.agent.lib import RemoteError
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.plan import diff, manifest
from roles.frontend.front_end import FrontEnd
from roles.frontend.host import front_end, state
from runbooks.release.front_end import target
from tests.plan import front_end_host as edge_host
from tests.plan.front_end_builds import built, environment_settings
from tests.plan.real_edge import environment

SLUG = "core-os"


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setattr(os, "sync", lambda: None)  # which waits for all disks of the machine
    return environment(tmp_path, **environment_settings(tmp_path))


def path_of(env: Environment, slug: str = SLUG) -> str:
    return f"{env.setting.frontend_directory}/{slug}"


# On hosts


def test_files_come_before_the_page_and_a_second_run_changes_nothing(env: Environment) -> None:
    release = built(env, SLUG).release
    steps = edge_host.deliver(env)
    assert len(steps) == 1
    assert front_end.current(path_of(env)) == ""
    assert edge_host.show(env) == [f"pages of {SLUG}"]
    assert front_end.current(path_of(env)) == release
    assert edge_host.deliver(env) == []
    assert edge_host.show(env) == []


def test_only_changed_files_travel(env: Environment) -> None:
    built(env, SLUG, "one")
    edge_host.deliver(env)
    second = built(env, SLUG, "two")
    (step,) = edge_host.deliver(env)
    sent = {path for path, piece in second.pieces.items() if piece.sha256 in step["blobs"]}
    assert sent == {path for path in second.pieces if "library" not in path}
    size = sum(second.pieces[path].size for path in sent)
    assert sum(len(blob) for blob in step["blobs"].values()) < 1.1 * size


def test_equal_files_of_several_front_ends_travel_once(env: Environment) -> None:
    made = [built(env, slug) for slug in (SLUG, "v-suite", "musicchain")]
    (step,) = edge_host.deliver(env)
    library = made[0].pieces["assets/library-1a2b3c4d.js"].sha256
    assert all(library == each.pieces["assets/library-1a2b3c4d.js"].sha256 for each in made)
    assert len(step["items"]) == 3
    assert len(step["blobs"]) == len({piece.sha256 for each in made for piece in each.pieces.values()})


def test_all_edge_hosts_give_files_the_same_times(tmp_path: Path, env: Environment) -> None:
    built(env, SLUG)
    edge_host.deliver(env)
    first = dict(edge_host.tree(path_of(env)))
    shutil.rmtree(path_of(env))
    time.sleep(1.1)
    edge_host.deliver(env)
    second = edge_host.tree(path_of(env))
    own = {path for path in first if path == "config.json" or (path.startswith("releases/") and path.endswith(".json"))}
    assert {path: first[path] for path in first.keys() - own} == {path: second[path] for path in second.keys() - own}


def test_damaged_files_are_found_and_replaced(env: Environment) -> None:
    made = built(env, SLUG)
    edge_host.deliver(env)
    edge_host.show(env)
    script = next(path for path in made.pieces if path.startswith("assets/index-"))
    place = Path(path_of(env)) / script
    good = place.read_bytes()
    place.write_bytes(b"x" * len(good))
    assert front_end.look(path_of(env))["whole"] == []
    with pytest.raises(RemoteError, match="not on this host with all its files"):
        front_end.switch(path_of(env), made.release, time.time())
    edge_host.deliver(env)
    assert place.read_bytes() == good
    assert front_end.look(path_of(env))["whole"] == [made.release]


def test_a_rollback_copies_nothing(env: Environment) -> None:
    releases = []
    for text in ("one", "two"):
        releases.append(built(env, SLUG, text).release)
        edge_host.deliver(env)
        edge_host.show(env)
    before = dict(edge_host.tree(path_of(env)))
    began = time.monotonic()
    state.show({"directory": env.setting.frontend_directory, "releases": {SLUG: releases[0]}})
    assert time.monotonic() - began < 2
    assert front_end.current(path_of(env)) == releases[0]
    after = dict(edge_host.tree(path_of(env)))
    assert before.pop("history.json") != after.pop("history.json")
    assert before == after


def test_old_releases_leave_after_their_number_and_days(env: Environment) -> None:
    made = []
    for number in range(8):
        made.append(built(env, SLUG, str(number)))
        edge_host.deliver(env)
        front_end.switch(path_of(env), made[-1].release, 1000.0 * number)
    for each in made:  # delivered long ago
        os.utime(f"{path_of(env)}/releases/{each.release}.json", (0, 0))
    front_end.prune(path_of(env), keep=5, seconds=10_000, now=7000.0)
    assert len(front_end.releases(path_of(env))) == 8  # younger than the days
    front_end.prune(path_of(env), keep=5, seconds=100, now=7000.0)
    assert set(front_end.releases(path_of(env))) == {each.release for each in made[3:]}
    names = {name for each in made[3:] for name, piece in each.pieces.items() if piece.pooled}
    there = {f"assets/{name}" for name in os.listdir(f"{path_of(env)}/assets")}
    assert {name for name in there if not name.endswith(".gz")} == names
    assert len(front_end.look(path_of(env))["whole"]) == 5


def test_a_delivered_release_that_was_never_shown_stays_for_its_days(env: Environment) -> None:
    built(env, SLUG, "one")
    edge_host.deliver(env)
    edge_host.show(env)
    second = built(env, SLUG, "two")
    edge_host.deliver(env)
    front_end.prune(path_of(env), keep=1, seconds=100, now=time.time())
    assert second.release in front_end.look(path_of(env))["whole"]


class Killed(Exception):
    """Ends the host-side code at one of its system calls."""


CALLS = ("rename", "makedirs", "utime", "symlink", "sync", "chmod")


def test_a_run_that_is_killed_at_any_point_leaves_the_old_or_the_new_page(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = built(env, SLUG, "one")
    edge_host.deliver(env)
    edge_host.show(env)
    new = built(env, SLUG, "two")
    points = 0
    for last in range(200):
        with monkeypatch.context() as patch:
            left = [last]
            for name in CALLS:
                patch.setattr(os, name, dying(getattr(os, name), left))
            try:
                edge_host.deliver(env)
                edge_host.show(env)
                done = True
            except Killed:
                points, done = points + 1, False
        shown = front_end.current(path_of(env))
        assert shown in (old.release, new.release), last
        assert shown in front_end.look(path_of(env))["whole"], last
        if done:
            break
        edge_host.deliver(env)
        edge_host.show(env)
        assert front_end.current(path_of(env)) == new.release
        reset(env, old.release, new.release)
    assert points > 10


def dying(call: Any, left: list[int]) -> Any:
    """The system call, which ends the program when the count is used up."""

    def replaced(*arguments: Any, **options: Any) -> Any:
        if left[0] <= 0:
            raise Killed
        left[0] -= 1
        return call(*arguments, **options)

    return replaced


def reset(env: Environment, old: str, new: str) -> None:
    """As before the new release came."""
    path = path_of(env)
    front_end.switch(path, old, time.time())
    pieces = json.loads(Path(f"{path}/releases/{new}.json").read_text())
    os.unlink(f"{path}/releases/{new}.json")
    shutil.rmtree(f"{path}/releases/{new}")
    for name in pieces:
        if name.startswith("assets/index-"):
            os.unlink(f"{path}/{name}")


def test_a_module_that_left_the_catalogue_is_removed_whole(env: Environment) -> None:
    built(env, SLUG)
    edge_host.deliver(env)
    edge_host.show(env)
    wanted = edge_host.planned(env)
    present = front_end.probe([path_of(env)])
    item = FrontEnd(path_of(env), None)
    assert item.ours(present[path_of(env)]) is False
    answer: dict[str, dict[str, Any]] = {kind: {} for kind in ("paths", "front_ends", "states", "manifest")}
    assert f"{path_of(env)}" in manifest.records(wanted, answer)["front_ends"]
    front_end.remove(path_of(env))
    assert not os.path.exists(path_of(env))


def test_changes_are_told_in_words(env: Environment) -> None:
    made = built(env, SLUG)
    answer: dict[str, dict[str, Any]] = {"states": {}, "manifest": {}, "front_ends": {}, "paths": {}}
    found = diff.compare("frontend", diff.complete(edge_host.planned(env)), answer, {})
    said = [str(change) for change in found.changes]
    assert f"front end {path_of(env)}: release {made.release} is missing, 4 files to send" in said
    assert f"pages of {SLUG}: is missing" in said


# Rollback


def answers(**edges: tuple[str, list[str], list[str]]) -> dict[str, dict[str, Any]]:
    return {name: dict(zip(("current", "history", "whole"), about, strict=True)) for name, about in edges.items()}


def test_a_rollback_returns_to_what_every_edge_host_has() -> None:
    found = answers(a=("c", ["c", "b", "a"], ["a", "b", "c"]), b=("c", ["c", "b", "a"], ["a", "c"]))
    assert target("x", found, "") == "a"
    assert target("x", found, "a") == "a"
    assert target("x", found, "c") == ""
    with pytest.raises(OperatorError, match="not every edge host has release b"):
        target("x", found, "b")
    with pytest.raises(OperatorError, match="showed no other release"):
        target("x", answers(a=("c", ["c"], ["c"])), "")
