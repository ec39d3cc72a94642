"""How many replicas the catalogue wants at its own size."""

from nexus.catalogue import load
from nexus.catalogue.size import Scale, size
from tests.plan.kubernetes_environment import FULL_SIZE


def replicas() -> dict[str, int]:
    """{service: its replicas}."""
    scale = Scale.of(FULL_SIZE)
    return {name: size(service, scale).replicas for name, service in load().services.items()}
