"""What the router knows of each service: where its tasks are, how many, how they are checked."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nexus.catalogue.service import Service
from nexus.environment.environment import Environment


@dataclass(frozen=True)
class Backend:
    """One service behind the router, or the canary of one: `canary_of` names it and `percent` is its share."""

    name: str
    port: int
    slots: int  # tasks that it can have at once
    check_path: str
    timeout_ms: int
    canary_of: str = ""
    percent: int = 0


def timeout_ms(env: Environment, service: str) -> int:
    """How long the service may take for an answer: gateway.yaml, unless the environment says otherwise."""
    return int(env.setting.router_timeouts_ms.get(service) or env.catalogue.timeout_ms(service))


def backends(env: Environment) -> tuple[Backend, ...]:
    """All services of the catalogue, by name, so that the file does not depend on start order."""
    return tuple(_backend(env, env.catalogue.services[name]) for name in sorted(env.catalogue.services))


def canary(name: str) -> str:
    """Name of the swarm service that runs a new release of a service beside the old one."""
    return f"{name}-canary"


def canaries(env: Environment) -> tuple[Backend, ...]:
    """New releases that get a share of their service's traffic while a run of deploys/release.py watches them.

    A second swarm service behind a backend of its own, and not servers of another weight in the same one: the
    share does not depend on how many tasks either has, its errors and times stand alone, and where it has no
    task that answers all goes to the old release. No run but that one plans any, so what a run that died left
    is removed by the next.
    """
    found = []
    for name in sorted(env.catalogue.services):
        if percent := env.kept.get(f"canary {name}", {}).get("percent"):
            old = _backend(env, env.catalogue.services[name])
            found.append(replace(old, name=canary(name), canary_of=name, percent=int(percent)))
    return tuple(found)


def _backend(env: Environment, service: Service) -> Backend:
    # from the larger of the catalogue's and the environment's count: scaling inside it needs no reload
    wanted = env.setting.service_replicas.get(service.name, 0)
    return Backend(
        name=service.name,
        port=service.port,
        slots=max(service.replicas, int(wanted)) * int(env.setting.router_slots_per_replica),
        # the shipped code's path where there is any: the reference service answers it too
        check_path=env.catalogue.probes_of(service, shipped_code=service.source is not None).liveness,
        timeout_ms=timeout_ms(env, service.name),
    )
