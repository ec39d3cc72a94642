"""Membership of this host in the swarm, and the bridge that leads out of its containers, by Docker's API.

Runs on the host with the standard library alone. Tokens go through the API's socket, so they appear
in no process list; they are answered only when asked for.
"""

from __future__ import annotations

import time
from typing import Any

from roles.docker.client import Docker
from roles.kit.agent.base import RemoteError
from roles.swarm.engine import (
    MTU,
    PROBE_SECONDS,
    create_network,
    found_info,
    info_of,
    network,
    set_role,
    state,
    wait,
)

GATEWAY = "docker_gwbridge"
SETTLE_SECONDS = 10  # what managers may take to elect a leader


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What there is; nothing where Docker is not installed or does not run."""
    info = found_info(context["directory"])
    if not info:
        return {}
    docker = Docker(timeout=PROBE_SECONDS)
    found: dict[str, dict[str, Any]] = {}
    if "node" in names:
        found["node"] = _node(info)
        found |= network(docker, GATEWAY)
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
    """Make the changed items true: the gateway bridge, then the node itself."""
    docker = Docker(timeout=context["wait_seconds"] + 60)
    if f"network {GATEWAY}" in changed:
        _make_gateway(docker, items[f"network {GATEWAY}"])
    if "node" in changed:
        _enter(docker, items["node"], context)


def _node(info: dict[str, Any]) -> dict[str, Any]:
    role = "manager" if info["ControlAvailable"] else "worker"
    return {"state": info["LocalNodeState"], "address": info["NodeAddr"], "role": role, "id": info["NodeID"]}


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
        info = info_of(docker)
    return {}


def _make_gateway(docker: Docker, wanted: dict[str, Any]) -> None:
    """The bridge to the outside, made before Swarm makes its own with another range."""
    present = network(docker, GATEWAY)
    if present and state(docker) != "inactive":
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
    create_network(docker, {"Name": GATEWAY, "Driver": "bridge", "Options": options}, wanted["subnet"])


def _enter(docker: Docker, wanted: dict[str, Any], context: dict[str, Any]) -> None:
    """Bring this engine into the swarm; out of a state that it cannot use, only if another manager lives."""
    info = info_of(docker)
    join = context.get("join")
    if info["LocalNodeState"] == "pending":
        wait(
            docker, "this node to become active", context, lambda: state(docker) != "pending", fatal=not join
        )
        info = info_of(docker)
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
    wait(docker, "this node to become active", context, lambda: state(docker) == "active")


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
        set_role(docker, info["NodeID"], "worker", context)
        wait(docker, "this manager to step down", context, lambda: not info_of(docker)["ControlAvailable"])
    docker.do("leave the swarm", "POST", "/swarm/leave?force=1")
