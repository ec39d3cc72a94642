"""What a manager knows of the whole swarm: its nodes, the services' network and its settings, by Docker's API."""

import contextlib
from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError
from nexus.agent.wait import LateError
from roles.docker.host.client import Docker
from roles.swarm.host.engine import MTU, PROBE_SECONDS, create_network, found_info, network, set_role, update_node, wait

NANOSECONDS = 10**9


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The present items; empty where this host is not a manager of a swarm."""
    info = found_info()
    if not info or info["LocalNodeState"] != "active" or not info["ControlAvailable"]:
        return {}
    docker = Docker(timeout=PROBE_SECONDS)
    return _members(docker, context["hosts"]) | network(docker, "nexus") | _cluster(docker)


def apply(change: Change) -> None:
    """Converge the changed items, and remove the nodes that are no longer planned."""
    context = change.context
    docker = Docker(timeout=context["wait_seconds"] + 60)
    wait("the managers to elect a leader", context, lambda: docker.ask("GET", "/nodes")[0] == 200)
    for name in change.changed:
        if name.startswith("member "):
            _set_member(docker, name[7:], change.items[name], context)
        elif name == "network nexus":
            _make_overlay(docker, change.items[name])
        elif name == "cluster":
            _set_cluster(docker, change.items[name])
    for name in change.removed:
        _remove_member(docker, name[7:], context)


def _cluster(docker: Docker) -> dict[str, dict[str, Any]]:
    """Settings of the swarm as a whole; empty while it has no leader."""
    status, swarm = docker.ask("GET", "/swarm")
    if status != 200:
        return {}
    found = {"heartbeat_seconds": swarm["Spec"]["Dispatcher"]["HeartbeatPeriod"] // NANOSECONDS}
    if swarm["Spec"].get("EncryptionConfig", {}).get("AutoLockManagers"):
        found["told"] = "managers lock when they restart; `docker swarm update --autolock=false` ends that"
    return {"cluster": found}


def _set_cluster(docker: Docker, wanted: dict[str, Any]) -> None:
    swarm = docker.do("read the swarm", "GET", "/swarm")
    period = wanted["heartbeat_seconds"] * NANOSECONDS
    spec = {**swarm["Spec"], "Dispatcher": {"HeartbeatPeriod": period}}
    docker.do("update the swarm", "POST", f"/swarm/update?version={swarm['Version']['Index']}", spec)


def _members(docker: Docker, hosts: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Nodes by host. Where a host left and came back, its newest node has its name; older ones have their ID added."""
    status, nodes = docker.ask("GET", "/nodes")
    found: dict[str, dict[str, Any]] = {}
    if status != 200:
        return found
    nodes.sort(key=lambda node: str(node["CreatedAt"]), reverse=True)
    for node in nodes:
        manager = node.get("ManagerStatus") or {}
        address = manager.get("Addr", node["Status"].get("Addr", "")).rsplit(":", 1)[0]
        host = hosts.get(address, node["Description"]["Hostname"])
        name = f"member {host}"
        found[name if name not in found else f"member {host} {node['ID']}"] = {
            "role": node["Spec"]["Role"],
            "availability": node["Spec"]["Availability"],
            "labels": node["Spec"].get("Labels") or {},
            "id": node["ID"],
            "state": node["Status"]["State"],
        }
    return found


def _make_overlay(docker: Docker, wanted: dict[str, Any]) -> None:
    present = network(docker, "nexus").get("network nexus")
    if present == wanted:
        return
    if present:
        raise RemoteError(
            f"the services' network is {present} but should be {wanted}, and a network cannot be changed "
            "while services use it. Set service_network and service_network_mtu to the present values, or, with an "
            "interruption, run: docker stack rm nexus; docker network rm nexus; then rerun this deploy"
        )
    options = {MTU: str(wanted["mtu"])}
    body = {"Name": "nexus", "Driver": "overlay", "Scope": "swarm", "Attachable": True, "Options": options}
    create_network(docker, body, wanted["subnet"])


def _set_member(docker: Docker, host: str, wanted: dict[str, Any], context: dict[str, Any]) -> None:
    member = _members(docker, context["hosts"]).get(f"member {host}")
    if member is None:
        if context.get("gathering"):
            return
        raise RemoteError(f"{host} is not in the swarm yet: rerun without --limit, so that {host} joins")
    if member["role"] != wanted["role"]:
        set_role(docker, member["id"], wanted["role"], context)
    changes = {"Availability": wanted["availability"], "Labels": wanted["labels"]}
    update_node(docker, f"update node {host}", member["id"], **changes)


def _remove_member(docker: Docker, host: str, context: dict[str, Any]) -> None:
    """Remove a node whose host left the inventory or came back as another node; its tasks move first."""
    member = _members(docker, context["hosts"]).get(f"member {host}")
    if member is None:
        return
    if member["state"] == "ready":
        update_node(docker, f"drain node {host}", member["id"], Availability="drain")
        running = {"node": [member["id"]], "desired-state": ["running"]}
        with contextlib.suppress(LateError):
            wait(f"the tasks of {host} to move", context, lambda: not docker.list("tasks", **running))
    if member["role"] == "manager":
        set_role(docker, member["id"], "worker", context)
    docker.do(f"remove node {host}", "DELETE", f"/nodes/{member['id']}?force=1")
    print(f"removed node {host} from the swarm")
