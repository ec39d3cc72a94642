"""What the router knows of each service: where its tasks are, how many there are, how to check them."""

from dataclasses import dataclass, replace

from nexus.catalogue.service import Service
from nexus.environment.environment import Environment


@dataclass(frozen=True)
class Backend:
    """One service behind the router, or the canary of one: `canary_of` names it and `percent` is its share."""

    name: str
    port: int
    slots: int  # the most tasks that it can have at once
    check_path: str
    timeout_ms: int
    canary_of: str = ""
    percent: int = 0


def timeout_ms(env: Environment, service: str) -> int:
    """How long the service may take to answer: as in gateway.yaml, unless the environment sets it."""
    return int(env.setting.router_timeouts_ms.get(service) or env.catalogue.timeout_ms(service))


def backends(env: Environment) -> tuple[Backend, ...]:
    """All services of the catalogue, sorted by name, so that the file does not depend on the start order."""
    return tuple(_backend(env, env.catalogue.services[name]) for name in sorted(env.catalogue.services))


def canary(name: str) -> str:
    """Name of the swarm service that runs a new release of a service next to the old one."""
    return f"{name}-canary"


def canaries(env: Environment) -> tuple[Backend, ...]:
    """New releases that get a share of their service's traffic while a run of deploys/release.py watches them.

    A canary is a second swarm service behind its own backend, not servers of another weight in the same backend:
    the share does not depend on the number of tasks of either, its errors and times are counted separately, and
    while none of its tasks answers, all traffic goes to the old release. Only that run plans canaries, so the next
    run removes what a killed one left.
    """
    found = []
    for name in sorted(env.catalogue.services):
        if percent := env.kept.get(f"canary {name}", {}).get("percent"):
            old = _backend(env, env.catalogue.services[name])
            found.append(replace(old, name=canary(name), canary_of=name, percent=int(percent)))
    return tuple(found)


def _backend(env: Environment, service: Service) -> Backend:
    # from the larger of the catalogue's and the environment's count: scaling below it needs no reload
    wanted = env.setting.service_replicas.get(service.name, 0)
    return Backend(
        name=service.name,
        port=service.port,
        slots=max(service.replicas, int(wanted)) * int(env.setting.router_slots_per_replica),
        # the path of the shipped code, if there is any: the reference service answers it too
        check_path=env.catalogue.probes_of(service, shipped_code=service.source is not None).liveness,
        timeout_ms=timeout_ms(env, service.name),
    )
