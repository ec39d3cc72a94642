"""NetworkPolicies, evaluated as a cluster does: what the catalogue needs is open, and what nobody needs is closed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from runbooks.kubernetes.check.expected import Expected, Wanted
from runbooks.kubernetes.check.index import Index, place
from runbooks.kubernetes.item import COMPONENT, NAME, NAMESPACE, OURS, SERVER, Object, shown

Labels = Mapping[str, str]
INTERNET = "203.0.113.1"  # of no one: for documentation
BY_NAME = "198.51.100.1"  # means a store whose address only DNS knows


@dataclass(frozen=True)
class End:
    """One end of a connection: a pod by namespace and labels, or an address outside of the cluster."""

    namespace: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    address: str = ""


def pod(service: Wanted) -> End:
    """A pod of a service that serves requests."""
    labels = {**OURS, NAME: service.name, COMPONENT: SERVER}
    return End(service.namespace, tuple(sorted(labels.items())))


class Policies:
    """All policies; which of them select a pod is found once for each pod."""

    def __init__(self, objects: list[Object]) -> None:
        self._objects = objects
        self._found: dict[tuple[str, End], list[Object]] = {}

    def selecting(self, direction: str, end: End) -> list[Object]:
        """The policies that restrict connections of the pod in this direction."""
        if (direction, end) not in self._found:
            self._found[direction, end] = [
                each
                for each in self._objects
                if place(each) == end.namespace
                and direction in each["spec"].get("policyTypes", ())
                and _matches(each["spec"]["podSelector"], dict(end.labels))
            ]
        return self._found[direction, end]

    def open(self, direction: str, own: End, other: End, port: int, protocol: str = "TCP") -> bool:
        """Whether the policies that select `own` let its connection with `other` through."""
        selecting = self.selecting(direction, own)
        side, peers = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
        return not selecting or any(
            _has_port(rule, port, protocol) and _has_peer(rule.get(peers), own.namespace, other)
            for each in selecting
            for rule in each["spec"].get(side) or ()
        )


def check(index: Index, wanted: Expected) -> Iterator[str]:
    """Findings on connections that policies cut, and on pods that they leave open."""
    policies = Policies(index.of("NetworkPolicy"))
    for service in wanted.services.values():
        yield from _guarded(policies, service)
        yield from _needs(policies, service, wanted)
    for source, target in wanted.edges:
        one, other = wanted.services[source], wanted.services[target]
        if not policies.open("Egress", pod(one), pod(other), other.port):
            yield f"NetworkPolicy: {source} may not call {target}: its way out is cut"
        if not policies.open("Ingress", pod(other), pod(one), other.port):
            yield f"NetworkPolicy: {target} does not let {source} in, which calls it"
    for each in index.of("NetworkPolicy"):
        yield from (f"{shown(each)}: {text}" for text in _breadth(each))
    yield from _strangers(policies, wanted)


def _needs(policies: Policies, service: Wanted, wanted: Expected) -> Iterator[str]:
    dns = End(wanted.dns_namespace)
    if not all(policies.open("Egress", pod(service), dns, 53, protocol) for protocol in ("UDP", "TCP")):
        yield f"NetworkPolicy: {service.name} may not ask DNS, so it finds nobody"
    callers = [*(wanted.edge_namespaces if service.paths else ()), *wanted.metrics_namespaces]
    for name in callers:
        if not policies.open("Ingress", pod(service), End(name), service.port):
            yield f"NetworkPolicy: {service.name} does not let {name} in"
    for store in service.stores:
        host, _, port = store.rpartition(":")
        if not policies.open("Egress", pod(service), _end(host.strip("[]")), int(port)):
            yield f"NetworkPolicy: {service.name} does not reach its store at {store}"
    if service.external and not policies.open("Egress", pod(service), End(address=INTERNET), 443):
        yield f"NetworkPolicy: {service.name} does not reach its external providers"


def _end(host: str) -> End:
    try:
        return End(address=str(ip_address(host)))
    except ValueError:
        parts = host.split(".")
        return End(parts[1]) if len(parts) > 2 and parts[2] == "svc" else End(address=BY_NAME)


def _guarded(policies: Policies, service: Wanted) -> Iterator[str]:
    for direction in ("Ingress", "Egress"):
        if not policies.selecting(direction, End(service.namespace)):
            yield f"NetworkPolicy: nothing closes all pods of {service.namespace} for {direction}"


def _strangers(policies: Policies, wanted: Expected) -> Iterator[str]:
    """Services that let in others than their callers, or reach the internet without need."""
    called = {(target, source) for source, target in wanted.edges}
    stranger = End("default", (("app", "stranger"),))
    named = {name for service in wanted.services.values() for name in service.stores if name.endswith(":443")}
    for service in wanted.services.values():
        if not service.external and not named and policies.open("Egress", pod(service), End(address=INTERNET), 443):
            yield f"NetworkPolicy: {service.name} reaches the internet, where it has no provider"
        for name in () if service.paths else wanted.edge_namespaces:
            if policies.open("Ingress", pod(service), End(name), service.port):
                yield f"NetworkPolicy: {service.name} lets {name} in, and has no route"
        if policies.open("Ingress", pod(service), stranger, service.port):
            yield f"NetworkPolicy: {service.name} lets in pods of any namespace"
        for other in wanted.services.values():
            if other is service or (service.name, other.name) in called:
                continue
            if policies.open("Ingress", pod(service), pod(other), service.port):
                yield f"NetworkPolicy: {service.name} lets {other.name} in, which does not call it"


def _breadth(policy: Object) -> Iterator[str]:
    """Rules that say less than they seem to."""
    spec = policy["spec"]
    for side, peers in (("ingress", "from"), ("egress", "to")):
        rules = spec.get(side) or ()
        if rules and side.capitalize() not in spec.get("policyTypes", ()):
            yield f"has {side} rules that its policyTypes leave out"
        for rule in rules:
            if not rule.get("ports"):
                yield f"an {side} rule opens every port"
            if side == "ingress" and not rule.get(peers):
                yield f"an {side} rule is open to everyone"
    if not spec.get("policyTypes"):
        yield "has no policyTypes"


def _has_port(rule: Object, port: int, protocol: str) -> bool:
    ports = rule.get("ports")
    return not ports or any((each.get("port"), each.get("protocol", "TCP")) == (port, protocol) for each in ports)


def _has_peer(peers: list[Object] | None, namespace: str, other: End) -> bool:
    return not peers or any(_is_peer(peer, namespace, other) for peer in peers)


def _is_peer(peer: Object, namespace: str, other: End) -> bool:
    if block := peer.get("ipBlock"):
        if not other.address or ip_address(other.address) not in ip_network(block["cidr"]):
            return False
        return all(ip_address(other.address) not in ip_network(cidr) for cidr in block.get("except", ()))
    if other.address:
        return False
    if "namespaceSelector" in peer:
        if not _matches(peer["namespaceSelector"], {NAMESPACE: other.namespace}):
            return False
    elif other.namespace != namespace:
        return False
    return "podSelector" not in peer or _matches(peer["podSelector"], dict(other.labels))


def _matches(selector: Object, labels: Labels) -> bool:
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(name) == value for name, value in wanted.items())
