"""Who calls whom in the cluster: the edges that policies must leave open."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from nexus.catalogue import Catalogue, Service

GATEWAY_NAMESPACE = "nexus-edge"  # of the Gateway; services live in the namespaces of their domains


@dataclass(frozen=True)
class Edge:
    """One service calls another."""

    source: str
    target: str


def namespace(catalogue: Catalogue, service: Service) -> str:
    """The namespace of a service: that of its domain."""
    return next(domain.namespace for domain in catalogue.platform.domains if domain.name == service.domain)


def namespaces(catalogue: Catalogue) -> list[str]:
    """The namespaces that have services, in the order of the catalogue's domains."""
    used = {service.domain for service in catalogue.services.values()}
    return [domain.namespace for domain in catalogue.platform.domains if domain.name in used]


def host(catalogue: Catalogue, name: str) -> str:
    """The name at which any pod of the cluster finds a service."""
    return f"{name}.{namespace(catalogue, catalogue.service(name))}"


def edges(catalogue: Catalogue) -> list[Edge]:
    """Calls at start and at run time, and those of the flows that the documents describe."""
    return sorted(set(_edges(catalogue)), key=lambda edge: (edge.source, edge.target))


def _edges(catalogue: Catalogue) -> Iterator[Edge]:
    for service in catalogue.services.values():
        yield from (Edge(service.name, name) for name in service.depends_on)
    for link in catalogue.platform.runtime_links:
        yield Edge(link.source, link.target)
    for path in catalogue.platform.flows.values():
        yield from (Edge(source, target) for source, target in pairwise(path))
