"""What the router knows of each service: where its tasks are, how many, how they are checked."""

from __future__ import annotations

from dataclasses import dataclass

from roles.catalogue.service import Service
from roles.kit.environment import Environment


@dataclass(frozen=True)
class Backend:
    """One service behind the router."""

    name: str
    port: int
    slots: int  # tasks that it can have at once
    check_path: str
    timeout_ms: int


def timeout_ms(env: Environment, service: str) -> int:
    """How long the service may take for an answer: gateway.yaml, unless the environment says otherwise."""
    return int(env.setting.router_timeouts_ms.get(service) or env.catalogue.timeout_ms(service))


def backends(env: Environment) -> tuple[Backend, ...]:
    """All services of the catalogue, by name, so that the file does not depend on start order."""
    return tuple(_backend(env, env.catalogue.services[name]) for name in sorted(env.catalogue.services))


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
