"""What both sides of the swarm ask of the engine of this host: its own state, networks, roles of nodes.

Runs on the host with the standard library alone, as part of remote.py and cluster.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from typing import Any

from roles.docker.client import Docker
from roles.kit.agent.base import RemoteError, once

MTU = "com.docker.network.driver.mtu"
PROBE_SECONDS = 20
IDENTITY = ("docker-state.json", "certificates/swarm-node.crt")  # the addresses that the engine gave, and its id
KNOWN = "/run/nexus-cos/swarm.json"


def info_of(docker: Docker) -> dict[str, Any]:
    info: dict[str, Any] = docker.do("read the engine's state", "GET", "/info")["Swarm"]
    return info


def found_info(directory: str) -> dict[str, Any]:
    """The engine's state as a probe finds it, empty where none answers; `directory` is where it keeps the swarm."""
    found: dict[str, Any] = once(lambda: _found_info(directory), "engine")
    return found


def _found_info(directory: str) -> dict[str, Any]:
    """As `found_info`, with state and role of now.

    For `/info` the engine starts four programs to ask for their versions: it is asked once for an id and an address,
    and again when they can have changed.
    """
    try:
        docker = Docker(timeout=PROBE_SECONDS)
        state, _, role = docker.swarm().partition("/")
        now = {"LocalNodeState": state, "ControlAvailable": role == "manager"}
        identity = [_stamp(f"{directory}/{name}") for name in IDENTITY]
        if state == "active" and None not in identity:
            known = _known()
            if known.get("identity") == identity:
                return {**known["info"], **now}
            info = info_of(docker)
            if identity == [_stamp(f"{directory}/{name}") for name in IDENTITY]:
                _note({"identity": identity, "info": {key: info[key] for key in ("NodeID", "NodeAddr")}})
            return info
        return info_of(docker)
    except (OSError, RemoteError):
        return {}


def _stamp(path: str) -> list[int] | None:
    """What changes with a file, None where it is not there or not for us to see."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return [found.st_ino, found.st_ctime_ns, found.st_size]


def _known() -> dict[str, Any]:
    try:
        with open(KNOWN) as stream:
            known: dict[str, Any] = json.load(stream)
            return known
    except (OSError, ValueError):
        return {}


def _note(known: dict[str, Any]) -> None:
    """Whole or not at all; gone with a reboot."""
    with contextlib.suppress(OSError):
        with open(f"{KNOWN}.{os.getpid()}", "w") as stream:
            json.dump(known, stream)
        os.rename(stream.name, KNOWN)


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
    """Change a node's specification, leaving the rest of it as it is."""
    node = docker.do("read the node", "GET", f"/nodes/{node_id}")
    path = f"/nodes/{node_id}/update?version={node['Version']['Index']}"
    docker.do(what, "POST", path, {**node["Spec"], **changes})


def set_role(docker: Docker, node_id: str, role: str, context: dict[str, Any]) -> None:
    """Promote or demote; demotion only while the other managers that answer are still a majority."""
    if role == "worker":
        _refuse_quorum_loss(docker, node_id)
    update_node(docker, f"make the node a {role}", node_id, Role=role)

    def settled() -> bool:
        status = docker.ask("GET", f"/nodes/{node_id}")[1].get("ManagerStatus")
        return (status is not None) == (role == "manager")

    if node_id != info_of(docker)["NodeID"]:
        wait(docker, f"the node to become a {role}", context, settled)


def _refuse_quorum_loss(docker: Docker, node_id: str) -> None:
    others = [
        node
        for node in docker.do("list the nodes", "GET", "/nodes")
        if node.get("ManagerStatus") and node["ID"] != node_id
    ]
    reachable = [node for node in others if node["ManagerStatus"]["Reachability"] == "reachable"]
    if len(reachable) <= len(others) / 2:
        raise RemoteError(
            f"refused to take a manager out of the swarm: of the {len(others)} others only {len(reachable)} "
            "answer, and without a majority of managers the swarm stands still. Bring the others back first"
        )


def wait(
    docker: Docker, what: str, context: dict[str, Any], done: Callable[[], bool], fatal: bool = True
) -> None:
    deadline = time.monotonic() + context["wait_seconds"]
    while not done():
        if time.monotonic() > deadline:
            if not fatal:
                return
            raise RemoteError(f"waited {context['wait_seconds']} s for {what}; `docker info` says more")
        time.sleep(0.2)
