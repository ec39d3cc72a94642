"""Front ends on real edge hosts: releases under browsers with old pages, rollbacks, killed runs, closed modules."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsers import Browsers
from conftest import Figure, whole
from control import Control, Outcome, copy_of_project

from roles.frontend import npm

SLUG, CLOSED = "core-os", "gamecore"
ROOT = "/srv/nexus-cos/frontends"
RELEASE, ROLLBACK = "deploys/release.py", "deploys/rollback.py"
MESSAGE = "Back at noon."
SPREAD_SECONDS = 1.0
ROLLBACK_SECONDS = 2.0
SHOWN = re.compile(r"Show .* again: ([0-9.]+) s|Show .*: ([0-9.]+) s")


def checkout(control: Control, directory: Path) -> Control:
    """The environment by a copy of the project, whose reference front end a test changes."""
    try:
        npm.check()
    except npm.NotHere as why:
        pytest.skip(f"front ends cannot be built here: {why}")
    return Control(control.name, copy_of_project(directory / "project", environment=control.name))


@pytest.fixture
def one_edge(platform: Control, tmp_path: Path) -> Iterator[Control]:
    """The lab and a copy of the project; afterwards the lab shows what it showed before."""
    yield from _restored(checkout(platform, tmp_path))


@pytest.fixture
def two_edges(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[Control]:
    """The same of the wide lab, which has two edge hosts."""
    for control, outcome in whole("lab_wide", pytestconfig):
        assert outcome.status == 0, outcome.end
        yield from _restored(checkout(control, tmp_path))


def _restored(control: Control) -> Iterator[Control]:
    before = shown(control)[control.group("edge")[0]]
    yield control
    done = control.run(deploy=ROLLBACK, data={"frontends": SLUG, "to": before})
    assert done.status == 0, done.end


def shown(control: Control) -> dict[str, str]:
    """{edge host: the release that it shows}, read without the library."""
    command = f"sudo basename $(sudo readlink {ROOT}/{SLUG}/current)"
    return {edge: control.ssh(edge, command).strip() for edge in control.group("edge")}


def moments(control: Control) -> list[float]:
    """When each edge host changed its page, by the one clock of all hosts of the lab."""
    command = f"stat --printf %.9Z {ROOT}/{SLUG}/current; sudo true"
    return [float(control.ssh(edge, f"sudo {command}").strip()) for edge in control.group("edge")]


def files(control: Control) -> dict[str, str]:
    """{edge host: digest of all files of the front end but its history}."""
    command = f"cd {ROOT}/{SLUG} && find . -type f ! -name history.json -printf '%p %s %T@\\n' | sort | sha256sum"
    return {edge: control.ssh(edge, f"sudo sh -c {json.dumps(command)}") for edge in control.group("edge")}


def change(control: Control, text: str) -> None:
    """Another reference front end: two of its files differ."""
    path = control.project / "templates/frontend/reference/src/About.tsx"
    first, mark, rest = path.read_text().partition("About this page</h2>")
    assert mark
    path.write_text(f'{re.sub(r"<h2 id=.about.>.*", "", first)}<h2 id="about">{text} {mark}{rest}')


def released(control: Control, text: str) -> Outcome:
    """A run that builds and shows a changed front end."""
    change(control, text)
    return control.run(deploy=RELEASE, data={"frontends": SLUG})


def act_seconds(done: Outcome) -> float:
    """The time of the run's act that shows a release."""
    found = [float(one or two) for one, two in SHOWN.findall(done.output)]
    return max(found, default=0.0)


def test_a_release_loses_no_file_and_goes_back(one_edge: Control, figure: Figure) -> None:
    _releases(one_edge, 1, figure, "one edge host")


@pytest.mark.full
@pytest.mark.timeout(5400)
def test_twenty_releases_lose_no_file_on_two_edge_hosts(two_edges: Control, figure: Figure) -> None:
    _releases(two_edges, 20, figure, "two edge hosts")


def _releases(control: Control, number: int, figure: Figure, where: str) -> None:
    spreads = []
    before = shown(control)
    with Browsers(control, SLUG) as load:
        for turn in range(number):
            done = released(control, f"Release {turn}:")
            assert done.status == 0, done.end
            assert len(set(shown(control).values())) == 1
            at = moments(control)
            spreads.append(max(at) - min(at))
        time.sleep(5)
        there = files(control)
        back = control.run(deploy=ROLLBACK, data={"frontends": SLUG})
        assert back.status == 0, back.end
        time.sleep(5)
    figure(f"front ends, {where}: requests during {number} releases and a rollback", load.sent)
    figure(f"front ends, {where}: files or pages that were not there", len(load.wrong))
    figure(f"front ends, {where}: longest time between the switches of edge hosts", max(spreads))
    figure(f"front ends, {where}: rollback", back.seconds)
    assert load.wrong == []
    assert len(load.pages) >= number + 1
    assert max(spreads) <= SPREAD_SECONDS
    assert files(control) == there, "a rollback copies nothing"
    assert act_seconds(back) <= ROLLBACK_SECONDS
    assert number > 1 or shown(control) == before
    again = Control(control.name).converged()  # the copy has other pages for all modules
    assert again.closing[0] == 0, again.end


@pytest.mark.full
@pytest.mark.timeout(5400)
def test_a_killed_release_leaves_the_old_or_the_new_page(two_edges: Control, chance: random.Random) -> None:
    for turn in range(20):
        change(two_edges, f"Killed {turn}:")
        running = two_edges.start(deploy=RELEASE, data={"frontends": SLUG})
        time.sleep(chance.uniform(0.5, 12))
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        load = Browsers(two_edges, SLUG, seed=turn)
        for edge in load.edges:
            status, kind, page = load.get(edge, f"/{SLUG}/")
            assert (status, kind) == (200, "text/html")
            assert load.files_of(page, load.edges, chance)
        assert load.wrong == []
        two_edges.converged()
        done = two_edges.run(deploy=RELEASE, data={"frontends": SLUG})
        assert done.status == 0, done.end
        assert len(set(shown(two_edges).values())) == 1


def test_a_closed_module_shows_its_message(platform: Control, figure: Figure) -> None:
    load = Browsers(platform, CLOSED)
    data = {"module": CLOSED, "message": MESSAGE}
    try:
        done = platform.run(deploy="deploys/maintenance.py", data=data)
        assert done.status == 0, done.end
        figure("front ends: run that closes a module", done.seconds)
        for edge in load.edges:
            status, kind, page = load.get(edge, f"/{CLOSED}/")
            assert (status, kind) == (503, "text/html")
            assert MESSAGE.encode() in page
            modules = json.loads(load.get(edge, "/config.json")[2])["modules"]
            about = next(module for module in modules if module["slug"] == CLOSED)
            assert (about["state"], about["message"]) == ("closed", MESSAGE)
    finally:
        done = platform.run(deploy="deploys/maintenance.py", data={"module": CLOSED, "back": True})
    assert done.status == 0, done.end
    assert {load.get(edge, f"/{CLOSED}/")[0] for edge in load.edges} == {200}
