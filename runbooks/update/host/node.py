"""Runs on a manager of the swarm: whether a node takes tasks. Standard library only."""

import time
from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import RemoteError
from nexus.agent.wait import repeat, wait_until
from roles.docker.host.client import Docker
from roles.swarm.host.engine import update_node
from runbooks.daily.host.restart_services import address_of

ELECTION_SECONDS = 60  # for managers to agree on a leader, after one of them was rebooted
ENDED = ("complete", "shutdown", "failed", "rejected", "orphaned", "remove")


def drain(context: Mapping[str, Any]) -> None:
    """Let the node at context["address"] run no task, and wait until its last one has ended."""
    docker = Docker()
    node = _set(docker, context["address"], "drain")

    def empty() -> bool:
        return all(task["Status"]["State"] in ENDED for task in docker.list("tasks", node=[node]))

    began = time.monotonic()
    wait_until(empty, context["seconds"], f"tasks still run on {context['address']} after {context['seconds']} s")
    print(f"no task runs there any more, after {time.monotonic() - began:.0f} s")


def activate(context: Mapping[str, Any]) -> None:
    """Let the node at context["address"] take tasks again."""
    _set(Docker(), context["address"], "active")


def _set(docker: Docker, address: str, availability: str) -> str:
    """The id of the node, which now has this availability; again while the swarm elects a leader."""

    def attempt() -> str:
        node = next((one for one in docker.list("nodes") if address_of(one) == address), None)
        if node is None:
            raise RemoteError(f"no node of the swarm has the address {address}: deploys/container.py lets it join")
        if node["Spec"]["Availability"] != availability:
            update_node(docker, f"set the node to {availability}", node["ID"], Availability=availability)
        return str(node["ID"])

    return repeat(attempt, ELECTION_SECONDS, pause=1, on=(RemoteError, OSError))
