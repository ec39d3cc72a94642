"""Containers of a host, as its engine tells: healthy, the platform's own, and not root's."""

from __future__ import annotations

from typing import Any

import pytest

from hosts.fleet import Fleet
from roles.service.stack import NAME as STACK
from roles.swarm.plan import managers


def containers(fleet: Fleet, hostname: str) -> list[dict[str, Any]]:
    """Containers that run on a host; the check fails where the swarm has tasks there and none runs."""
    answer = fleet.answer(hostname, "docker")
    there = [manager.name for manager in managers(fleet.env) if manager.name not in fleet.problems]
    assert there, f"{hostname}: no manager of the swarm says what should run here"
    tasks, node = fleet.answer(there[0], "docker")["tasks"], answer["info"]["Swarm"]["NodeID"]
    assert tasks, f"{there[0]}: the swarm runs nothing"
    here = [task for task in tasks if task.get("NodeID") == node and task["Status"]["State"] == "running"]
    found: list[dict[str, Any]] = answer["containers"]
    assert found or not here, f"{hostname}: no container runs, and the swarm has {len(here)} tasks here"
    return found


@pytest.mark.hosts("app", "edge")
def test_containers_are_healthy(fleet: Fleet, hostname: str) -> None:
    found = containers(fleet, hostname)
    health = {c["Name"].lstrip("/"): (c["State"].get("Health") or {}).get("Status", "unchecked") for c in found}
    ours = {name: status for name, status in health.items() if name.startswith(f"{STACK}_")}
    wrong = {name: status for name, status in ours.items() if status != "healthy"}
    assert not wrong, f"{hostname}: {', '.join(f'{name} is {status}' for name, status in wrong.items())}"
    foreign = sorted(set(health) - set(ours))
    assert not foreign, f"{hostname}: containers that are not the platform's: {', '.join(foreign)}"


@pytest.mark.hosts("app", "edge")
def test_no_container_runs_as_root(fleet: Fleet, hostname: str) -> None:
    found, processes = containers(fleet, hostname), fleet.seen(hostname).processes
    by_name = {container["Name"].lstrip("/"): processes.get(container["State"]["Pid"]) for container in found}
    known = {name: process for name, process in by_name.items() if process}
    assert known or not found, f"{hostname}: of no container the process was seen: {', '.join(by_name)}"
    as_root = [name for name, process in known.items() if process.uid == 0]
    assert not as_root, f"{hostname}: containers that run as root: {', '.join(as_root)}"
    platform = int(fleet.env.setting.image_user_id)
    node = {process.uid for process in processes.values() if process.name == "node"}
    assert node <= {platform}, f"{hostname}: services run as {sorted(node)}, planned is {platform}"
