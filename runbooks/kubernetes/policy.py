"""NetworkPolicies: nothing is open but the calls of the graph, DNS, stores, the edge and metrics.

Policies add up. Those between services follow from the catalogue, those to the outside from the environment.
"""

from collections import defaultdict
from collections.abc import Iterable
from ipaddress import ip_address

from nexus.catalogue import Catalogue, Service
from nexus.environment.environment import Environment
from runbooks.kubernetes import graph
from runbooks.kubernetes.item import NAME, NAMESPACE, Object, item

API = "networking.k8s.io/v1"
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16")
HTTPS = 443
INSTANCES = {"postgresql": ("postgresql", "postgresql_direct"), "redis": ("redis", "redis_cache")}


def denials(namespace: str, dns_namespace: str) -> list[Object]:
    """For a namespace: no connection at all, and questions to DNS."""
    both = ["Ingress", "Egress"]
    ports = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    dns = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [_all_of(dns_namespace)], "ports": ports}]}
    return [
        item(API, "NetworkPolicy", "deny", namespace, spec={"podSelector": {}, "policyTypes": both}),
        item(API, "NetworkPolicy", "dns", namespace, spec=dns),
    ]


def between(catalogue: Catalogue) -> list[Object]:
    """One policy for each service that calls or is called by others."""
    calls: dict[str, list[str]] = defaultdict(list)
    callers: dict[str, list[str]] = defaultdict(list)
    for edge in graph.edges(catalogue):
        calls[edge.source].append(edge.target)
        callers[edge.target].append(edge.source)
    found = []
    for name, service in catalogue.services.items():
        ingress = [_rule("from", _pods(catalogue, callers[name]), service.port)] if callers[name] else []
        egress = [_rule("to", _pods(catalogue, [each]), catalogue.service(each).port) for each in calls[name]]
        if ingress or egress:
            found.append(_policy(catalogue, service, name, ingress, egress))
    return found


def outside(env: Environment, service: Service) -> Object | None:
    """The policy of one service with the edge, metrics, its stores and its external providers."""
    setting = env.setting
    near = [_all_of(name) for name in setting.kubernetes_metrics_namespaces]
    if env.catalogue.routes_of(service.name) and setting.kubernetes_edge != "none":
        own = [graph.GATEWAY_NAMESPACE] if setting.kubernetes_edge == "gateway" else []
        near += [_all_of(name) for name in (*own, *setting.kubernetes_edge_namespaces)]
    ingress = [_rule("from", near, service.port)] if near else []
    egress = [_to_store(place) for store in service.stores for place in places(env, store)]
    if service.external:
        blocks = [_block(cidr) for cidr in setting.kubernetes_outside_cidrs]
        egress.append(_rule("to", blocks, HTTPS))
    name = f"{service.name}-outside"
    return _policy(env.catalogue, service, name, ingress, egress) if ingress or egress else None


def places(env: Environment, store: str) -> list[str]:
    """HOST:PORT of every server of a store; empty if the environment does not have it."""
    known = env.addresses or {}
    if store not in known:
        return []
    found = [place for name in INSTANCES.get(store, (store,)) for place in known.get(name, ())]
    return list(dict.fromkeys(found))


def _policy(catalogue: Catalogue, service: Service, name: str, ingress: list[Object], egress: list[Object]) -> Object:
    types = [*(["Ingress"] if ingress else []), *(["Egress"] if egress else [])]
    rules = {**({"ingress": ingress} if ingress else {}), **({"egress": egress} if egress else {})}
    spec = {"podSelector": {"matchLabels": {NAME: service.name}}, "policyTypes": types, **rules}
    place = graph.namespace(catalogue, service)
    return item(API, "NetworkPolicy", name, place, labels={NAME: service.name}, spec=spec)


def _rule(side: str, peers: list[Object], port: int) -> Object:
    return {side: peers, "ports": [{"protocol": "TCP", "port": port}]}


def _pods(catalogue: Catalogue, names: Iterable[str]) -> list[Object]:
    """Peers for these services, in the order of their names."""
    return [
        {**_all_of(graph.namespace(catalogue, catalogue.service(name))), "podSelector": {"matchLabels": {NAME: name}}}
        for name in sorted(set(names))
    ]


def _all_of(namespace: str) -> Object:
    return {"namespaceSelector": {"matchLabels": {NAMESPACE: namespace}}}


def _to_store(place: str) -> Object:
    """A store by address, by the namespace of its Service, or, if only DNS knows its address, by its port alone."""
    host, _, port = place.rpartition(":")
    host = host.strip("[]")
    try:
        address = ip_address(host)
    except ValueError:
        parts = host.split(".")
        if len(parts) > 2 and parts[2] == "svc":
            return _rule("to", [_all_of(parts[1])], int(port))
        return {"ports": [{"protocol": "TCP", "port": int(port)}]}
    return _rule("to", [{"ipBlock": {"cidr": f"{address}/{address.max_prefixlen}"}}], int(port))


def _block(cidr: str) -> Object:
    """Addresses of the internet: without the private ones if it is all of them."""
    return {"ipBlock": {"cidr": cidr, **({"except": list(PRIVATE)} if cidr == "0.0.0.0/0" else {})}}
