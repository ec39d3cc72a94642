"""The handoff in full: every kind of edit of the catalogue twice, and its commands on hosts."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from control import PROJECT, Control
from report import Figure

from nexus.cli.command import NO_SECRETS
from nexus.environment.inventory import load
from runbooks.handoff import archive, contract, observation
from runbooks.handoff.__main__ import environment
from runbooks.handoff.commit import commit
from runbooks.handoff.contract import TREE
from runbooks.handoff.handoff import Handoff
from runbooks.handoff.page import pages
from tests.plan.handoff_edits import EDITS, made, wrong
from tests.plan.handoff_world import lab

EDITS_MIN, SECONDS_MAX = 100, 20  # with the observation of eight hosts: 15 s from a plan, 5 s more for the hosts


@pytest.mark.full
def test_edits_change_exactly_the_pages_that_name_them(tmp_path: Path, chance: random.Random, figure: Figure) -> None:
    before, tried, found = made(lab()), 0, {}
    for turn in range(2):
        for name in EDITS:
            tried += 1
            if pages_of := wrong(name, before, tmp_path / f"{turn}-{name.replace(' ', '-')}", chance):
                found[name] = pages_of
    figure("handoff: edits of the catalogue that changed exactly the pages that name them", tried - len(found))
    assert found == {}
    assert tried >= EDITS_MIN


def test_the_lab_is_as_its_pages_say(control: Control, figure: Figure) -> None:
    done = control.run(deploy="deploys/handoff.py")
    assert done.status == 0, done.output
    figure("handoff: pages and bundles with what eight hosts are", done.seconds)
    env = load(control.name, NO_SECRETS)
    seen = observation.load(observation.path_of(env), env)
    assert seen["hosts"].keys() == {host.name for host in env.hosts}
    assert all(about["versions"] for about in seen["hosts"].values())
    assert seen["services"].keys() == env.catalogue.services.keys()
    directory = PROJECT / str(env.setting.handoff_directory)
    assert (PROJECT / "reports/runs" / f"{seen['run']}.log").is_file()
    assert seen["at"] in (directory / "handoff" / TREE / "README.md").read_text()
    count = archive.verify(
        directory / f"{contract.PACKAGE}.zip", directory / f"{contract.PACKAGE}-sample-manifest.json"
    )
    assert count == contract.FILE_COUNT
    assert done.seconds <= SECONDS_MAX


def test_a_difference_on_a_host_stops_the_pages(control: Control) -> None:
    control.ssh("edge1", "sudo chmod 0600 /etc/nginx/nginx.conf")
    try:
        refused = control.run(deploy="deploys/handoff.py")
        assert refused.status != 0
        assert "plan and hosts differ, so no pages are made" in refused.output
        assert "file /etc/nginx/nginx.conf" in refused.output
        allowed = control.run("--data", "drift=allow", deploy="deploys/handoff.py")
        assert allowed.status == 0, allowed.output
    finally:
        assert control.run(deploy="deploys/edge.py").status == 0


def test_pages_of_the_lab_name_its_hosts(control: Control) -> None:
    env = environment(control.name, {})
    found = pages(Handoff.of(env, commit(), None))
    assert all(host.name in found[f"{TREE}/architecture/infrastructure-diagram.md"] for host in env.hosts)
