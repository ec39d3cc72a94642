"""Membership of this host in the swarm, and the bridge that leads out of its containers, by Docker's API.

Tokens pass through the API's socket, so no process list shows them. The answer holds them only on request.
"""

from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError
from nexus.agent.wait import LateError, tries
from roles.docker.host.client import Docker
from roles.swarm.host.engine import (
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
SETTLE_SECONDS = 10  # how long managers may take to elect a leader


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The present items; empty where Docker is not installed or does not run."""
    info = found_info()
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


def apply(change: Change) -> None:
    """Converge the changed items: the gateway bridge, then the node itself."""
    docker = Docker(timeout=change.context["wait_seconds"] + 60)
    if f"network {GATEWAY}" in change.changed:
        _make_gateway(docker, change.items[f"network {GATEWAY}"])
    if "node" in change.changed:
        _enter(docker, change.items["node"], change.context)


def _node(info: dict[str, Any]) -> dict[str, Any]:
    role = "manager" if info["ControlAvailable"] else "worker"
    return {"state": info["LocalNodeState"], "address": info["NodeAddr"], "role": role, "id": info["NodeID"]}


def _tokens(docker: Docker, info: dict[str, Any]) -> dict[str, Any]:
    """Join tokens where this engine is a manager of a swarm with a leader; empty for a worker or outside any swarm.

    A manager without a leader must not count as outside any swarm: a run would make a second one.
    """
    for _ in tries(SETTLE_SECONDS):
        is_worker = info["LocalNodeState"] == "active" and not info["ControlAvailable"]
        if is_worker or info["LocalNodeState"] == "inactive":
            return {}
        status, answer = docker.ask("GET", "/swarm")
        if status == 200:
            return {"tokens": {role.lower(): token for role, token in answer["JoinTokens"].items()} | _key(docker)}
        info = info_of(docker)
    raise RemoteError(f"in a swarm whose managers have no leader: {answer['message']}")


def _key(docker: Docker) -> dict[str, str]:
    """The key that unlocks restarted managers, where the swarm locks them."""
    key = docker.do("read the key of the swarm", "GET", "/swarm/unlockkey").get("UnlockKey")
    return {"unlock": key} if key else {}


def _make_gateway(docker: Docker, wanted: dict[str, Any]) -> None:
    """Make the bridge to the outside before Swarm makes its own with another range."""
    present = network(docker, GATEWAY)
    if present and state(docker) != "inactive":
        raise RemoteError(
            f"{GATEWAY} is {present} but should be {wanted}, and containers of the swarm use it. Drain this host "
            "(swarm_drained), run there: docker swarm leave; docker network rm docker_gwbridge; then rerun this deploy"
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
    """Bring this engine into the swarm. It leaves an unusable state only if another manager can take it back."""
    info = info_of(docker)
    join = context.get("join")
    if info["LocalNodeState"] == "pending":
        try:
            wait("this node to become active", context, lambda: state(docker) != "pending")
        except LateError:
            if not join:
                raise
        info = info_of(docker)
    if info["LocalNodeState"] == "locked":
        _unlock(docker, join, context)
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
        raise RemoteError("the swarm to join does not exist yet: rerun without --limit, so that the app hosts make it")
    wait("this node to become active", context, lambda: state(docker) == "active")


def _unlock(docker: Docker, join: dict[str, Any] | None, context: dict[str, Any]) -> None:
    """Unlock a manager that locked itself when it restarted; it keeps its place in the swarm."""
    key = (join or {}).get("tokens", {}).get("unlock")
    if not key:
        raise RemoteError(
            "this manager is locked, and no unlocked manager can be asked for the key: run `docker swarm unlock` here "
            "with the key that `docker swarm unlock-key` showed when it was made"
        )
    docker.do("unlock the swarm", "POST", "/swarm/unlock", {"UnlockKey": key})
    wait("this node to become active", context, lambda: state(docker) == "active")


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
    """A lone manager keeps its state and continues at its new address."""
    alone = info["ControlAvailable"] and info.get("Managers", 1) == 1
    if alone and info["LocalNodeState"] in ("active", "error"):
        docker.do("move the swarm", "POST", "/swarm/init", {**_init(context), "ForceNewCluster": True})
        return
    raise RemoteError(
        f"this node's swarm state is {info['LocalNodeState']} ({info.get('Error') or 'no error given'}) and "
        "no other manager can be asked. If most managers are lost for good, run here: "
        "docker swarm init --force-new-cluster"
    )


def _leave(docker: Docker, info: dict[str, Any], context: dict[str, Any]) -> None:
    if info["LocalNodeState"] == "active" and info["ControlAvailable"]:
        set_role(docker, info["NodeID"], "worker", context)
        wait("this manager to step down", context, lambda: not info_of(docker)["ControlAvailable"])
    docker.do("leave the swarm", "POST", "/swarm/leave?force=1")
