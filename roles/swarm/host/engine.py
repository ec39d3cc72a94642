"""Requests to this host's engine that state.py and cluster.py share: its own state, networks, roles of nodes."""

from collections.abc import Callable
from typing import Any

from nexus.agent.lib import RemoteError, once
from nexus.agent.wait import wait_until
from roles.docker.host.client import Docker

MTU = "com.docker.network.driver.mtu"
PROBE_SECONDS = 20


def info_of(docker: Docker) -> dict[str, Any]:
    info: dict[str, Any] = docker.do("read the engine's state", "GET", "/info")["Swarm"]
    return info


def found_info() -> dict[str, Any]:
    """The engine's state as a probe finds it; empty where the engine does not answer."""
    found: dict[str, Any] = once(_found_info, "engine")
    return found


def _found_info() -> dict[str, Any]:
    try:
        return info_of(Docker(timeout=PROBE_SECONDS))
    except (OSError, RemoteError):
        return {}


def state(docker: Docker) -> str:
    return str(info_of(docker)["LocalNodeState"])


def network(docker: Docker, name: str) -> dict[str, Any]:
    status, network = docker.ask("GET", f"/networks/{name}")
    if status != 200:
        return {}
    options = network["Options"] or {}
    subnets = [config["Subnet"] for config in network["IPAM"]["Config"] or []]
    found = {"subnet": ",".join(subnets), "mtu": int(options.get(MTU, 0)), "driver": network["Driver"]}
    return {f"network {name}": {**found, "attachable": network["Attachable"]}}


def create_network(docker: Docker, body: dict[str, Any], subnet: str) -> None:
    ipam = {"Driver": "default", "Config": [{"Subnet": subnet}]}
    docker.do(f"create the network {body['Name']}", "POST", "/networks/create", {**body, "IPAM": ipam})


def update_node(docker: Docker, what: str, node_id: str, **changes: Any) -> None:
    """Change a part of a node's specification."""
    node = docker.do("read the node", "GET", f"/nodes/{node_id}")
    path = f"/nodes/{node_id}/update?version={node['Version']['Index']}"
    docker.do(what, "POST", path, {**node["Spec"], **changes})


def set_role(docker: Docker, node_id: str, role: str, context: dict[str, Any]) -> None:
    """Promote or demote a node; demote only if the remaining managers that answer are a majority."""
    if role == "worker":
        _refuse_quorum_loss(docker, node_id)
    update_node(docker, f"make the node a {role}", node_id, Role=role)

    def settled() -> bool:
        status = docker.ask("GET", f"/nodes/{node_id}")[1].get("ManagerStatus")
        return (status is not None) == (role == "manager")

    if node_id != info_of(docker)["NodeID"]:
        wait(f"the node to become a {role}", context, settled)


def _refuse_quorum_loss(docker: Docker, node_id: str) -> None:
    others = [
        node
        for node in docker.do("list the nodes", "GET", "/nodes")
        if node.get("ManagerStatus") and node["ID"] != node_id
    ]
    reachable = [node for node in others if node["ManagerStatus"]["Reachability"] == "reachable"]
    if len(reachable) <= len(others) / 2:
        raise RemoteError(
            f"refused to remove a manager from the swarm: only {len(reachable)} of the {len(others)} others "
            "answer, and without a majority of managers the swarm stops working. Bring the others back online first"
        )


def wait(what: str, context: dict[str, Any], done: Callable[[], bool]) -> None:
    seconds = context["wait_seconds"]
    wait_until(done, seconds, f"waited {seconds} s for {what}; `docker info` shows more", pause=0.2)
