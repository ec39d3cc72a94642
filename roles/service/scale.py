"""How large a service is in an environment, and which limits its hosts can enforce."""

from typing import Any

from nexus.catalogue import Service
from nexus.catalogue.size import Scale, Size
from nexus.catalogue.size import size as size_of
from nexus.environment.environment import Environment

LIMITS = {"cpus": "cpu", "memory": "memory"}  # {name in a Compose file: what control groups must enforce}


def size(env: Environment, service: Service) -> Size:
    """Replicas of a service here, and what each of them requests."""
    return size_of(service, Scale.of(env.setting))


def enforceable(env: Environment) -> dict[str, bool]:
    """Which limits every app host can enforce: {"cpu": ..., "memory": ...}.

    Docker refuses a container with a CPU limit where control groups cannot enforce it, so one such host decides.
    """
    known = [host.traits.docker for host in env.group("app") if host.traits]
    return {kind: all(ability.get(kind, False) for ability in known) for kind in ("cpu", "memory")}


def amounts(asks: Size) -> dict[str, str]:
    """Memory and, if any is requested, CPU of a replica, as Compose files name and write them."""
    cpus = {"cpus": f"{asks.cpu_millicores / 1000:.3f}"} if asks.cpu_millicores else {}
    return {**cpus, "memory": str(asks.memory_bytes)}


def resources(env: Environment, service: Service) -> dict[str, Any]:
    """Reservations that the scheduler counts, and limits where every host can enforce them."""
    asks = size(env, service)
    asked = amounts(asks)
    found: dict[str, Any] = {"reservations": dict(asked)}
    if asks.gpus:
        kind = {"discrete_resource_spec": {"kind": "NVIDIA-GPU", "value": asks.gpus}}
        found["reservations"]["generic_resources"] = [kind]
    enforced = enforceable(env)
    limits = {name: amount for name, amount in asked.items() if enforced[LIMITS[name]]}
    return {**found, "limits": limits} if limits else found


def warnings(env: Environment) -> list[str]:
    """Notes for the operator about limits that hosts cannot enforce."""
    lines = []
    for host in env.group("app"):
        if host.traits is None:
            continue
        lacking = " and ".join(kind for kind in ("cpu", "memory") if not host.traits.docker.get(kind))
        if lacking:
            lines.append(f"{host.name}: its control groups cannot limit {lacking}; services run without that limit")
    return lines
