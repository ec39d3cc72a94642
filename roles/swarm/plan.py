"""The swarm: which hosts are nodes and in which role, and the networks that its services need.

Managers are the first app hosts, so a host in every group is a valid swarm of one. The engine is
the role `docker`; what runs in the swarm is the role `service`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, State
from nexus.plan.diff import Answer

SOURCE = Path(__file__).parent / "host/state.py"
CLUSTER = SOURCE.with_name("cluster.py")
KEPT = SOURCE.with_name("state_store.py")
STORE = "nexus-environment"  # the config that holds what the environment keeps, see host/state_store.py
NETWORK = "nexus"
VXLAN_BYTES = 50  # outer Ethernet, IPv4, UDP and VXLAN headers
UPLINK_MTU = 1500  # of a host whose traits are not known yet


def plan(env: Environment, host: Host) -> Desired:
    """The membership of this host, and on the first manager the states that only a manager knows."""
    states: tuple[State, ...] = ()
    if host.name in {node.name for node in nodes(env)}:
        states = (_membership(env, host),)
        if host.name == leader(env).name:
            states += (_cluster(env), kept_state(env))
    return Desired(states=states)


def nodes(env: Environment) -> tuple[Host, ...]:
    """Hosts that are nodes of the swarm, managers first."""
    groups = ["app", *env.setting.swarm_workers]
    found = {host.name: host for group in groups for host in env.group(group)}
    return tuple(found.values())


def managers(env: Environment) -> tuple[Host, ...]:
    """App hosts that hold the swarm's state: an odd number, since an even one tolerates no more failures."""
    app = env.group("app")
    count = min(len(app), env.setting.swarm_managers_max)
    return app[: count - 1 + count % 2]


def leader(env: Environment) -> Host:
    """The manager that this run talks to: the first one that is not left out of the run."""
    return env.speaker(managers(env))


def quorum(env: Environment) -> dict[str, list[str]]:
    """The managers, which decide by majority."""
    return {"swarm managers": [host.name for host in managers(env)] if env.group("app") else []}


def teller(env: Environment) -> str | None:
    """The host that is asked what the environment keeps: the first manager."""
    return leader(env).name if env.group("app") else None


def told(answer: Answer) -> tuple[Mapping[str, Any], str]:
    """The values that the environment keeps, and the error of the manager that could not read them."""
    found = answer["states"].get("kept", {"items": {}})
    return found.get("items", {}), found.get("error", "")


def network_mtu(env: Environment) -> int:
    """The largest packet that the services' overlay carries unfragmented between all nodes."""
    uplinks = [node.traits.mtu for node in nodes(env) if node.traits]
    return env.setting.service_network_mtu or min(uplinks, default=UPLINK_MTU) - VXLAN_BYTES


def gateway_mtu(host: Host) -> int:
    """MTU of the bridge that leads from the host's containers to the outside."""
    return int(host.setting.docker_mtu) or (host.traits.mtu if host.traits else UPLINK_MTU)


def _membership(env: Environment, host: Host) -> State:
    """One host in the swarm, as its own engine sees it.

    Only the first manager's role is compared here: no other host can promote it in this run, so it
    leaves and comes back as a manager. The roles of others are changed in place, see `_cluster`.
    """
    node: dict[str, Any] = {"state": "active", "address": host.address}
    leads = host.name == leader(env).name
    if leads:
        node["role"] = "manager"
    items = {"network docker_gwbridge": {"subnet": env.setting.gateway_network, "mtu": gateway_mtu(host)}, "node": node}
    context = {
        "address": host.address,
        "port": env.setting.swarm_port,
        "role": "manager" if host in managers(env) else "worker",
        "may_create": leads,
        "address_pool": env.setting.swarm_address_pool,
        "wait_seconds": env.setting.swarm_wait_seconds,
    }
    return State("swarm_node", SOURCE, items, context=context)


def _cluster(env: Environment) -> State:
    """What a manager knows of all nodes: roles, labels, availability, the services' network, and how soon
    a host counts as lost.

    Nodes of hosts that left the inventory are removed, except in a run that leaves hosts out.
    """
    left_out = env.left_out
    items = {f"member {node.name}": _member(env, node) for node in nodes(env) if node.name not in left_out}
    items[f"network {NETWORK}"] = {
        "subnet": env.setting.service_network,
        "mtu": network_mtu(env),
        "attachable": True,
        "driver": "overlay",
    }
    items["cluster"] = {"heartbeat_seconds": env.setting.swarm_heartbeat_seconds}
    hosts = {node.address: node.name for node in nodes(env)}
    context = {"hosts": hosts, "wait_seconds": env.setting.swarm_wait_seconds}
    extra: Literal["keep", "remove"] = "keep" if left_out else "remove"
    return State("swarm_cluster", CLUSTER, items, context=context, extra=extra)


def kept_state(env: Environment) -> State:
    """What the environment keeps, as the first manager answers. The plan makes the config, runbooks write into it."""
    return State("kept", KEPT, {STORE: {}}, context={"directory": f"{env.setting.docker_data_root}/swarm"})


def _member(env: Environment, host: Host) -> dict[str, Any]:
    labels = {"nexus.host": host.name}
    labels |= {f"nexus.{group}": "true" for group in ("app", "edge", "ops") if group in host.groups}
    return {
        "role": "manager" if host in managers(env) else "worker",
        "availability": "drain" if host.name in env.setting.swarm_drained else "active",
        "labels": labels,
    }
