"""Runs on a manager: lists the nodes of the swarm. Changes nothing."""

from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import RemoteError
from roles.docker.host.client import Docker


def standing(context: Mapping[str, Any]) -> dict[str, Any]:
    """{"nodes": {name: {state, availability, manager, reachable, leader}}}; RemoteError without a leader."""
    status, nodes = Docker(timeout=5).ask("GET", "/nodes")
    if status != 200:
        raise RemoteError(f"the swarm does not answer: {nodes}")
    found = {}
    for node in nodes:
        manager = node.get("ManagerStatus") or {}
        found[node["Description"]["Hostname"]] = {
            "state": node["Status"]["State"],
            "availability": node["Spec"]["Availability"],
            "manager": bool(manager),
            "reachable": manager.get("Reachability") == "reachable",
            "leader": bool(manager.get("Leader")),
        }
    return {"nodes": found}


PARTS = {"swarm": standing}
