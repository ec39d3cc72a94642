"""Hosts are added and replaced, each by one edit of the inventory at most, and one run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Figure
from control import Control, Outcome
from edited import Edited

from nexus.provider import lab
from nexus.provider.lab.machine import wait_until

NEW, NUMBER = "app9", 29
NODE_SECONDS = 180  # a manager that was just elected knows nothing of its nodes for a while


@pytest.fixture
def edited(platform: Control, tmp_path: Path) -> Iterator[Edited]:
    """A checkout to edit; afterwards the lab is as it was, and the swarm knows no other node."""
    found = Edited(platform, tmp_path)
    yield found
    found.back()
    whole(found.control)


def whole(control: Control) -> Outcome:
    """A run of everything that must succeed with every service healthy, and the nodes of the swarm after it."""
    done = control.converged()
    wanted = dict.fromkeys(nodes(control), "Ready")
    assert wait_until(lambda: node_states(control) == wanted, NODE_SECONDS), node_states(control)
    return done


def nodes(control: Control) -> list[str]:
    """Hosts that must be nodes."""
    fresh = lab.load(str(control.project / "inventory" / f"{control.name}.py"))
    return [host.name for host in fresh.hosts if {"app", "edge"} & set(host.groups)]


def node_states(control: Control) -> dict[str, str]:
    """{node: its state}, as a manager lists them."""
    manager = control.group("app")[1]  # the first one may be the bare host
    rows = control.ssh(manager, "sudo docker node ls --format '{{.Hostname}} {{.Status}}'").splitlines()
    return dict(row.split() for row in rows)


def test_an_app_host_is_added(edited: Edited, figure: Figure) -> None:
    """It takes tasks once some are placed: a drained host's go there too."""
    edited.add("app", NEW, NUMBER)
    grown = whole(edited.control)
    figure("an app host added: the run", grown.seconds)
    assert whole(edited.control).changes == []
    other = edited.control.group("app")[-1]
    maintenance = "deploys/maintenance.py"
    drained = edited.control.run(deploy=maintenance, data={"host": other})
    assert drained.status == 0, drained.end
    placed = edited.control.ssh(NEW, "sudo docker ps -q").split()
    back = edited.control.run(deploy=maintenance, data={"host": other, "back": True})
    assert back.status == 0, back.end
    assert placed, f"no task of {other} went to {NEW}"


@pytest.mark.full
@pytest.mark.parametrize(("group", "number"), [("app", -1), ("app", 0), ("edge", 0)])
def test_a_lost_host_is_replaced_by_a_bare_one_of_its_name(
    platform: Control, figure: Figure, group: str, number: int
) -> None:
    """Nothing is edited: the former node leaves the swarm, the bare host joins it. Runs talk to the first app host."""
    lost = platform.group(group)[number]
    platform.host(lost).remove()
    refused = platform.run()
    assert refused.status != 0
    assert f"no connection to {lost}" in refused.output
    lab.up(platform.lab)
    back = whole(platform)
    figure(f"{lost} replaced by a bare host: the run", back.seconds)
    assert whole(platform).changes == []
