"""What the catalogue and the settings promise, so that rendered objects can be compared with it."""

from collections.abc import Mapping
from dataclasses import dataclass

from nexus.environment.environment import Environment
from roles.image.runtime import probes
from runbooks.kubernetes import config, graph, policy, route
from runbooks.kubernetes.render import reached
from runbooks.kubernetes.workload import autoscaled


@dataclass(frozen=True)
class Wanted:
    """One service: where it is, how it is probed, which servers of stores it needs."""

    name: str
    namespace: str
    port: int
    probe_paths: frozenset[str]
    stores: tuple[str, ...]
    external: bool
    paths: tuple[str, ...]  # of its routes


@dataclass(frozen=True)
class Expected:
    """All services, who calls whom, and which namespaces outside of ours may call."""

    services: Mapping[str, Wanted]
    edges: tuple[tuple[str, str], ...]
    edge: str
    edge_namespaces: tuple[str, ...]
    metrics_namespaces: tuple[str, ...]
    dns_namespace: str
    outside_secrets: frozenset[tuple[str, str]]  # (namespace, name): others write these
    tags: bool
    autoscaled: bool


def expected(env: Environment) -> Expected:
    """What the environment's objects must be."""
    env = reached(env)
    setting, edge = env.setting, str(env.setting.kubernetes_edge)
    own = [graph.GATEWAY_NAMESPACE] if edge == "gateway" else []
    tls = str(setting.kubernetes_tls_secret)
    places = graph.namespaces(env.catalogue) if edge == "ingress" else own
    applied = config.names(env) if setting.kubernetes_secrets == "apply" else []
    outside = {*((place, tls) for place in places), *((place, name) for _, place, name in applied)}
    services = {}
    for name, service in env.catalogue.services.items():
        paths = probes(env, name)
        services[name] = Wanted(
            name=name,
            namespace=graph.namespace(env.catalogue, service),
            port=service.port,
            probe_paths=frozenset({paths.liveness, paths.readiness}),
            stores=tuple(place for store in service.stores for place in policy.places(env, store)),
            external=bool(service.external),
            paths=tuple(path for each in env.catalogue.routes_of(name) for path in route.paths(env, each)),
        )
    return Expected(
        services=services,
        edges=tuple((found.source, found.target) for found in graph.edges(env.catalogue)),
        edge=edge,
        edge_namespaces=(*own, *setting.kubernetes_edge_namespaces),
        metrics_namespaces=tuple(setting.kubernetes_metrics_namespaces),
        dns_namespace=str(setting.kubernetes_dns_namespace),
        outside_secrets=frozenset(outside),
        tags=bool(setting.kubernetes_tags),
        autoscaled=autoscaled(env),
    )
