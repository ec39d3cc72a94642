"""The edge: every path of the catalogue leads to its service, and to a port that it has."""

from collections import Counter
from collections.abc import Iterator

from runbooks.kubernetes.check.expected import Expected
from runbooks.kubernetes.check.index import Index, place
from runbooks.kubernetes.item import OURS, PART_OF, Object, shown


def check(index: Index, wanted: Expected) -> Iterator[str]:
    """Findings on Gateways, HTTPRoutes and Ingress objects, and on paths that lead nowhere."""
    if wanted.edge == "none":
        return
    served: Counter[tuple[str, str, str]] = Counter()
    for each in index.of("HTTPRoute"):
        yield from (f"{shown(each)}: {text}" for text in _route(index, each))
        served.update(_served_by_route(each))
    for each in index.of("Ingress"):
        yield from (f"{shown(each)}: {text}" for text in _ingress(index, each, wanted))
        served.update(_served_by_ingress(each))
    for each in index.of("Gateway"):
        yield from (f"{shown(each)}: {text}" for text in _gateway(each, wanted))
    for (path, method, host), count in served.items():
        if count > 1:
            yield f"{method} {path} of {host} is routed {count} times"
    backends = _backends(index)
    for service in wanted.services.values():
        for path in service.paths:
            found = backends.get(path.rstrip("/"), set())
            if found != {service.name}:
                yield f"{path} leads to {', '.join(sorted(found)) or 'nothing'}; the catalogue says {service.name}"


def _route(index: Index, found: Object) -> Iterator[str]:
    spec = found["spec"]
    for parent in spec["parentRefs"]:
        gateway = index.get("Gateway", parent.get("namespace", place(found)), parent["name"])
        if gateway is None:
            yield f"is attached to the Gateway {parent['name']}, which does not exist"
            continue
        names = {listener["hostname"] for listener in gateway["spec"]["listeners"]}
        for host in sorted(set(spec["hostnames"]) - names):
            yield f"is for {host}, for which its Gateway does not listen"
    for rule in spec["rules"]:
        for backend in rule["backendRefs"]:
            yield from _backend(index, place(found), backend["name"], backend["port"])
        rewrites = [each["urlRewrite"]["path"] for each in rule["filters"] if "urlRewrite" in each]
        for match in rule["matches"]:
            kind = match["path"]["type"]
            wrong = "ReplaceFullPath" if kind == "PathPrefix" else "ReplacePrefixMatch"
            if any(each["type"] == wrong for each in rewrites):
                yield f"{match['path']['value']}: a path of type {kind} cannot be rewritten by {wrong}"


def _backend(index: Index, namespace: str, name: str, port: int | str) -> Iterator[str]:
    service = index.get("Service", namespace, name)
    if service is None:
        yield f"sends requests to the Service {name}, which does not exist in {namespace}"
    elif port not in {each[part] for each in service["spec"]["ports"] for part in ("port", "name")}:
        yield f"sends requests to port {port} of {name}, which it does not have"


def _ingress(index: Index, found: Object, wanted: Expected) -> Iterator[str]:
    spec = found["spec"]
    if not spec.get("ingressClassName"):
        yield "names no class, so no controller serves it"
    protected = {host for each in spec.get("tls") or () for host in each.get("hosts", ())}
    for each in spec.get("tls") or ():
        name = each.get("secretName")
        if (place(found), name) not in wanted.outside_secrets and not index.has_secret(place(found), str(name)):
            yield f"takes its certificate from the Secret {name}, which nobody provides"
    for rule in spec.get("rules") or ():
        if rule.get("host") not in protected:
            yield f"serves {rule.get('host')} without TLS"
        for path in rule["http"]["paths"]:
            backend = path["backend"]["service"]
            port = backend["port"]
            yield from _backend(index, place(found), backend["name"], port.get("name") or port.get("number"))


def _gateway(found: Object, wanted: Expected) -> Iterator[str]:
    for listener in found["spec"]["listeners"]:
        if listener["allowedRoutes"]["namespaces"]["selector"]["matchLabels"] != {PART_OF: OURS[PART_OF]}:
            yield f"{listener['name']}: does not accept the routes of our namespaces"
        for each in listener["tls"]["certificateRefs"]:
            if (place(found), each["name"]) not in wanted.outside_secrets:
                yield f"{listener['name']}: takes its certificate from the Secret {each['name']}, which nobody provides"
    names = [listener["name"] for listener in found["spec"]["listeners"]]
    if len(names) != len(set(names)):
        yield "two listeners have the same name"


def _served_by_route(found: Object) -> list[tuple[str, str, str]]:
    return [
        (match["path"]["value"], match.get("method", "any method"), host)
        for rule in found["spec"]["rules"]
        for match in rule["matches"]
        for host in found["spec"]["hostnames"]
    ]


def _served_by_ingress(found: Object) -> list[tuple[str, str, str]]:
    rules = found["spec"].get("rules") or ()
    return [(path["path"], "any method", str(rule.get("host"))) for rule in rules for path in rule["http"]["paths"]]


def _backends(index: Index) -> dict[str, set[str]]:
    """{path without its last slash: services that it leads to}."""
    found: dict[str, set[str]] = {}
    for each in index.of("HTTPRoute"):
        for rule in each["spec"]["rules"]:
            for match in rule["matches"]:
                names = {backend["name"] for backend in rule["backendRefs"]}
                found.setdefault(match["path"]["value"], set()).update(names)
    for each in index.of("Ingress"):
        for rule in each["spec"].get("rules") or ():
            for path in rule["http"]["paths"]:
                found.setdefault(path["path"], set()).add(path["backend"]["service"]["name"])
    return found
