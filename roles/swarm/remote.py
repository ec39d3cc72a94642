"""Swarm membership of this host, and on a manager the swarm's nodes and networks, by Docker's API.

Runs on the host with the standard library alone. Tokens go through the API's socket, so they appear
in no process list; they are answered only when asked for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from roles.docker.client import Docker
from roles.kit.agent.base import RemoteError

GATEWAY = "docker_gwbridge"
MTU = "com.docker.network.driver.mtu"
NANOSECONDS = 10**9
SETTLE_SECONDS = 10  # what managers may take to elect a leader
_FOUND: list[dict[str, Any]] = []


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What there is; nothing where Docker is not installed or does not run."""
    docker = Docker(timeout=20)
    try:
        info = _first_info(docker)
    except (OSError, RemoteError):
        return {}
    found: dict[str, dict[str, Any]] = {}
    if "node" in names:
        found["node"] = _node(info)
        found |= _network(docker, GATEWAY)
    if "hosts" in context and info["LocalNodeState"] == "active" and info["ControlAvailable"]:
        found |= _members(docker, context["hosts"]) | _network(docker, "nexus") | _cluster(docker)
    if context.get("want_tokens"):
        found |= _tokens(docker, info)
    return found


def apply(
    items: dict[str, Any],
    changed: list[str],
    removed: list[str],
    context: dict[str, Any],
    payload: dict[str, Any],
) -> None:
    """Make the changed items true: the gateway bridge and the node itself, or as a manager all others."""
    docker = Docker(timeout=context["wait_seconds"] + 60)
    if f"network {GATEWAY}" in changed:
        _make_gateway(docker, items[f"network {GATEWAY}"])
    if "node" in changed:
        _enter(docker, items["node"], context)
    if "hosts" in context:
        _wait(
            docker, "the managers to elect a leader", context, lambda: docker.ask("GET", "/nodes")[0] == 200
        )
        for name in changed:
            if name.startswith("member "):
                _set_member(docker, name[7:], items[name], context)
            elif name == "network nexus":
                _make_overlay(docker, items[name])
            elif name == "cluster":
                _set_cluster(docker, items[name])
        for name in removed:
            _remove_member(docker, name[7:], context)


def _node(info: dict[str, Any]) -> dict[str, Any]:
    role = "manager" if info["ControlAvailable"] else "worker"
    return {"state": info["LocalNodeState"], "address": info["NodeAddr"], "role": role, "id": info["NodeID"]}


def _network(docker: Docker, name: str) -> dict[str, Any]:
    status, network = docker.ask("GET", f"/networks/{name}")
    if status != 200:
        return {}
    options = network["Options"] or {}
    subnets = [config["Subnet"] for config in network["IPAM"]["Config"] or []]
    found = {"subnet": ",".join(subnets), "mtu": int(options.get(MTU, 0)), "driver": network["Driver"]}
    return {f"network {name}": {**found, "attachable": network["Attachable"]}}


def _cluster(docker: Docker) -> dict[str, dict[str, Any]]:
    """Settings of the swarm as a whole; nothing while it has no leader."""
    status, swarm = docker.ask("GET", "/swarm")
    if status != 200:
        return {}
    return {"cluster": {"heartbeat_seconds": swarm["Spec"]["Dispatcher"]["HeartbeatPeriod"] // NANOSECONDS}}


def _set_cluster(docker: Docker, wanted: dict[str, Any]) -> None:
    swarm = docker.do("read the swarm", "GET", "/swarm")
    period = wanted["heartbeat_seconds"] * NANOSECONDS
    spec = {**swarm["Spec"], "Dispatcher": {"HeartbeatPeriod": period}}
    docker.do("update the swarm", "POST", f"/swarm/update?version={swarm['Version']['Index']}", spec)


def _tokens(docker: Docker, info: dict[str, Any]) -> dict[str, Any]:
    """Join tokens where this engine is a manager of a swarm with a leader, nothing where it is in no swarm.

    One that is a manager but has no leader must not be mistaken for that: it would end in a second swarm.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    while info["LocalNodeState"] != "inactive" and (
        info["ControlAvailable"] or info["LocalNodeState"] != "active"
    ):
        status, answer = docker.ask("GET", "/swarm")
        if status == 200:
            return {"tokens": {role.lower(): token for role, token in answer["JoinTokens"].items()}}
        if time.monotonic() > deadline:
            raise RemoteError(f"in a swarm whose managers have no leader: {answer['message']}")
        time.sleep(0.5)
        info = _info(docker)
    return {}


def _members(docker: Docker, hosts: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Nodes by host. Of a host that left and came back the newest counts, the others go by their ids too."""
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


def _make_gateway(docker: Docker, wanted: dict[str, Any]) -> None:
    """The bridge to the outside, made before Swarm makes its own with another range."""
    present = _network(docker, GATEWAY)
    if present and _state(docker) != "inactive":
        raise RemoteError(
            f"{GATEWAY} is {present} but should be {wanted}, and containers of the swarm hang on it. Drain "
            "this host (swarm_drained), there: docker swarm leave; docker network rm docker_gwbridge; rerun"
        )
    if present:
        docker.do(f"remove the network {GATEWAY}", "DELETE", f"/networks/{GATEWAY}")
    options = {
        "com.docker.network.bridge.name": GATEWAY,
        "com.docker.network.bridge.enable_icc": "false",
        "com.docker.network.bridge.enable_ip_masquerade": "true",
        MTU: str(wanted["mtu"]),
    }
    _create_network(docker, {"Name": GATEWAY, "Driver": "bridge", "Options": options}, wanted["subnet"])


def _make_overlay(docker: Docker, wanted: dict[str, Any]) -> None:
    present = _network(docker, "nexus").get("network nexus")
    if present == wanted:
        return
    if present:
        raise RemoteError(
            f"the services' network is {present} but should be {wanted}, and a network cannot be changed "
            "while services use it. Set service_network and service_network_mtu to what it is, or, with an "
            "interruption: docker stack rm nexus; docker network rm nexus; and run again"
        )
    options = {MTU: str(wanted["mtu"])}
    body = {"Name": "nexus", "Driver": "overlay", "Scope": "swarm", "Attachable": True, "Options": options}
    _create_network(docker, body, wanted["subnet"])


def _create_network(docker: Docker, body: dict[str, Any], subnet: str) -> None:
    ipam = {"Driver": "default", "Config": [{"Subnet": subnet}]}
    docker.do(f"create the network {body['Name']}", "POST", "/networks/create", {**body, "IPAM": ipam})


def _enter(docker: Docker, wanted: dict[str, Any], context: dict[str, Any]) -> None:
    """Bring this engine into the swarm; out of a state that it cannot use, only if another manager lives."""
    info = _info(docker)
    join = context.get("join")
    if info["LocalNodeState"] == "pending":
        _wait(
            docker, "this node to become active", context, lambda: _state(docker) != "pending", fatal=not join
        )
        info = _info(docker)
    if all(_node(info).get(key) == value for key, value in wanted.items()):
        return
    if info["LocalNodeState"] != "inactive":
        if not join:
            _readdress(docker, info, context)
            return
        _leave(docker, info, context)
    if join:
        _join(docker, join, context)
    elif context["may_create"]:
        docker.do("create the swarm", "POST", "/swarm/init", _init(context))
    else:
        raise RemoteError("there is no swarm to join: run this for the app hosts too, without --limit")
    _wait(docker, "this node to become active", context, lambda: _state(docker) == "active")


def _init(context: dict[str, Any]) -> dict[str, Any]:
    address = f"{context['address']}:{context['port']}"
    pool = {"DefaultAddrPool": [context["address_pool"]], "SubnetSize": 24}
    return {"ListenAddr": address, "AdvertiseAddr": address, "DataPathAddr": context["address"], **pool}


def _join(docker: Docker, join: dict[str, Any], context: dict[str, Any]) -> None:
    address = f"{context['address']}:{context['port']}"
    own = {"ListenAddr": address, "AdvertiseAddr": address, "DataPathAddr": context["address"]}
    body = {**own, "RemoteAddrs": [join["address"]], "JoinToken": join["tokens"][context["role"]]}
    docker.do(f"join the swarm at {join['address']}", "POST", "/swarm/join", body)


def _readdress(docker: Docker, info: dict[str, Any], context: dict[str, Any]) -> None:
    """A manager that stands alone keeps its state and goes on at its new address."""
    if (
        info["ControlAvailable"]
        and info.get("Managers", 1) == 1
        and info["LocalNodeState"] in ("active", "error")
    ):
        docker.do("move the swarm", "POST", "/swarm/init", {**_init(context), "ForceNewCluster": True})
        return
    raise RemoteError(
        f"this node's swarm state is {info['LocalNodeState']} ({info.get('Error') or 'no error given'}) and "
        "no other manager can be asked. If most are lost for good: docker swarm init --force-new-cluster here"
    )


def _leave(docker: Docker, info: dict[str, Any], context: dict[str, Any]) -> None:
    if info["LocalNodeState"] == "active" and info["ControlAvailable"]:
        _set_role(docker, info["NodeID"], "worker", context)
        _wait(docker, "this manager to step down", context, lambda: not _info(docker)["ControlAvailable"])
    docker.do("leave the swarm", "POST", "/swarm/leave?force=1")


def _set_member(docker: Docker, host: str, wanted: dict[str, Any], context: dict[str, Any]) -> None:
    member = _members(docker, context["hosts"]).get(f"member {host}")
    if member is None:
        if context.get("gathering"):
            return
        raise RemoteError(f"{host} is not in the swarm yet: run this for {host} too, without --limit")
    if member["role"] != wanted["role"]:
        _set_role(docker, member["id"], wanted["role"], context)
    node = docker.do(f"read node {host}", "GET", f"/nodes/{member['id']}")
    spec = {**node["Spec"], "Availability": wanted["availability"], "Labels": wanted["labels"]}
    path = f"/nodes/{member['id']}/update?version={node['Version']['Index']}"
    docker.do(f"update node {host}", "POST", path, spec)


def _set_role(docker: Docker, node_id: str, role: str, context: dict[str, Any]) -> None:
    """Promote or demote; demotion only while the other managers that answer are still a majority."""
    node = docker.do("read the node", "GET", f"/nodes/{node_id}")
    if role == "worker":
        _refuse_quorum_loss(docker, node_id)
    path = f"/nodes/{node_id}/update?version={node['Version']['Index']}"
    docker.do(f"make the node a {role}", "POST", path, {**node["Spec"], "Role": role})

    def settled() -> bool:
        status = docker.ask("GET", f"/nodes/{node_id}")[1].get("ManagerStatus")
        return (status is not None) == (role == "manager")

    if node_id != _info(docker)["NodeID"]:
        _wait(docker, f"the node to become a {role}", context, settled)


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


def _remove_member(docker: Docker, host: str, context: dict[str, Any]) -> None:
    """Take out a node whose host left the inventory or came back as another node; its tasks move first."""
    member = _members(docker, context["hosts"]).get(f"member {host}")
    if member is None:
        return
    path = f"/nodes/{member['id']}"
    if member["state"] == "ready":
        node = docker.do(f"read node {host}", "GET", path)
        spec = {**node["Spec"], "Availability": "drain"}
        docker.do(f"drain node {host}", "POST", f"{path}/update?version={node['Version']['Index']}", spec)
        _wait(
            docker,
            f"the tasks of {host} to move",
            context,
            lambda: not _tasks(docker, member["id"]),
            fatal=False,
        )
    if member["role"] == "manager":
        _set_role(docker, member["id"], "worker", context)
    docker.do(f"remove node {host}", "DELETE", f"{path}?force=1")
    print(f"removed node {host} from the swarm")


def _tasks(docker: Docker, node_id: str) -> list[Any]:
    wanted = (
        json.dumps({"node": [node_id], "desired-state": ["running"]}).replace(" ", "").replace('"', "%22")
    )
    tasks: list[Any] = docker.do("list tasks", "GET", f"/tasks?filters={wanted}")
    return tasks


def _info(docker: Docker) -> dict[str, Any]:
    info: dict[str, Any] = docker.do("read the engine's state", "GET", "/info")["Swarm"]
    return info


def _first_info(docker: Docker) -> dict[str, Any]:
    """The engine's state as a probe finds it: asked once, for it takes the engine 16 ms to say."""
    if not _FOUND:
        _FOUND.append(_info(docker))
    return _FOUND[0]


def _state(docker: Docker) -> str:
    return str(_info(docker)["LocalNodeState"])


def _wait(
    docker: Docker, what: str, context: dict[str, Any], done: Callable[[], bool], fatal: bool = True
) -> None:
    deadline = time.monotonic() + context["wait_seconds"]
    while not done():
        if time.monotonic() > deadline:
            if not fatal:
                return
            raise RemoteError(f"waited {context['wait_seconds']} s for {what}; `docker info` says more")
        time.sleep(0.2)
