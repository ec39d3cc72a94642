"""How large the services are in an environment: the catalogue's figures, scaled by the environment's settings.

The stack is rendered from the same `size` that capacity.py checks, so that the checked sizes are those that run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from nexus.catalogue import defaults
from nexus.catalogue.catalogue import Catalogue
from nexus.catalogue.service import Service

GIB = 1024**3


@dataclass(frozen=True)
class Scale:
    """An environment's settings of size, without their prefix `service_`; defaults.py explains them."""

    replicas: Mapping[str, int]
    replica_scale: float
    replicas_max: int
    cpu_scale: float
    memory_scale: float
    memory_min_bytes: int
    gpu: bool

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Scale:
        """The scale from an environment's settings; a missing setting has its default."""
        known = {**vars(defaults), **settings}
        return cls(**{each.name: known[f"service_{each.name}"] for each in fields(cls)})


@dataclass(frozen=True)
class Size:
    """Replicas of a service in an environment, and the requests of each."""

    replicas: int
    cpu_millicores: int
    memory_bytes: int
    gpus: int


def size(service: Service, scale: Scale) -> Size:
    """The size of a service at a scale: at least one replica; a number set for the service overrides the rest."""
    replicas = max(1, math.ceil(round(service.replicas * scale.replica_scale, 6)))
    if scale.replicas_max:
        replicas = min(replicas, scale.replicas_max)
    return Size(
        replicas=scale.replicas.get(service.name, replicas),
        cpu_millicores=round(service.cpu_millicores * scale.cpu_scale),
        memory_bytes=max(round(service.memory_bytes * scale.memory_scale), scale.memory_min_bytes),
        gpus=service.gpu if scale.gpu else 0,
    )


@dataclass(frozen=True)
class Amount:
    """An amount of everything that services request."""

    replicas: int
    cpu_millicores: int
    memory_bytes: int
    gpus: int

    def __str__(self) -> str:
        text = f"{self.cpu_millicores / 1000:g} cores, {self.memory_bytes / GIB:.4g} GiB"
        return text + (f", {self.gpus} GPUs" if self.gpus else "")


def asked(catalogue: Catalogue, scale: Scale) -> Amount:
    """The sum over all replicas of all services."""
    sizes = [size(service, scale) for service in catalogue.services.values()]
    return Amount(
        replicas=sum(s.replicas for s in sizes),
        cpu_millicores=sum(s.replicas * s.cpu_millicores for s in sizes),
        memory_bytes=sum(s.replicas * s.memory_bytes for s in sizes),
        gpus=sum(s.replicas * s.gpus for s in sizes),
    )
