"""The routes of the catalogue: a Gateway with HTTPRoutes, or Ingress objects.

Rate limits, the check of tokens and CORS are not part of either standard; the cluster's gateway must be told them.
"""

from nexus.catalogue import Service
from nexus.catalogue.gateway import Route
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from roles.router.backend import timeout_ms
from runbooks.kubernetes.graph import GATEWAY_NAMESPACE, namespace
from runbooks.kubernetes.item import NAME, OURS, PART_OF, PORT, Object, item

API = "gateway.networking.k8s.io/v1"
GATEWAY = "nexus"
EDGES = ("gateway", "ingress", "none")
PREFIX = "/api"


def routes(env: Environment) -> list[Object]:
    """All objects of the edge, as the setting kubernetes_edge says."""
    edge = str(env.setting.kubernetes_edge)
    if edge not in EDGES:
        raise OperatorError(f'kubernetes_edge="{edge}": use one of {", ".join(EDGES)}')
    services = [service for name, service in env.catalogue.services.items() if env.catalogue.routes_of(name)]
    if edge == "none":
        return []
    if edge == "ingress":
        if not env.setting.kubernetes_edge_namespaces:
            raise OperatorError(
                'kubernetes_edge = "ingress" needs kubernetes_edge_namespaces: policies close services to all other '
                "namespaces, so name that of the Ingress controller"
            )
        return [_ingress(env, service) for service in services]
    return [_gateway(env), *(_http_route(env, service) for service in services)]


def lost(env: Environment) -> list[str]:
    """Paths that an Ingress does not serve as the catalogue says, with the reason."""
    if env.setting.kubernetes_edge != "ingress":
        return []
    header = env.catalogue.handshake.header
    found = []
    for route in env.catalogue.routes:
        if route.upstream_path:
            found.append(
                f"{route.path}: {route.service} expects {route.upstream_path}, and an Ingress rewrites no path"
            )
        if env.catalogue.service(route.service).handshake:
            found.append(f"{route.path}: {route.service} expects the header {header}, which an Ingress cannot set")
    return found


def hosts(env: Environment) -> list[str]:
    """The names at which the routes are served."""
    return [str(env.setting.domain), f"api.{env.setting.domain}"]


def _gateway(env: Environment) -> Object:
    certificates = [{"kind": "Secret", "name": str(env.setting.kubernetes_tls_secret)}]
    allowed = {"namespaces": {"from": "Selector", "selector": {"matchLabels": {PART_OF: OURS[PART_OF]}}}}
    listeners = [
        {
            "name": f"https-{number}",
            "hostname": name,
            "port": 443,
            "protocol": "HTTPS",
            "tls": {"mode": "Terminate", "certificateRefs": certificates},
            "allowedRoutes": allowed,
        }
        for number, name in enumerate(hosts(env))
    ]
    spec = {"gatewayClassName": str(env.setting.kubernetes_gateway_class), "listeners": listeners}
    return item(API, "Gateway", GATEWAY, GATEWAY_NAMESPACE, spec=spec)


def _http_route(env: Environment, service: Service) -> Object:
    rules = [rule for route in env.catalogue.routes_of(service.name) for rule in _rules(env, service, route)]
    spec = {"parentRefs": [{"name": GATEWAY, "namespace": GATEWAY_NAMESPACE}], "hostnames": hosts(env), "rules": rules}
    place = namespace(env.catalogue, service)
    return item(API, "HTTPRoute", service.name, place, labels={NAME: service.name}, spec=spec)


def _rules(env: Environment, service: Service, route: Route) -> list[Object]:
    """One rule for the path itself and one for each version of the API, which the service learns from a header."""
    return [_rule(env, service, route, path, version) for path, version in paths(env, route).items()]


def paths(env: Environment, route: Route) -> dict[str, str]:
    """{path: version of the API that it asks for} of a route; an Ingress has the path of the catalogue alone."""
    versioning = env.catalogue.gateway.versioning
    found = {route.path: versioning.default}
    if env.setting.kubernetes_edge == "gateway":
        for prefix in versioning.prefixes:
            found[prefix.rstrip("/") + route.path.removeprefix(PREFIX)] = prefix.split("/")[2]
    return found


def _rule(env: Environment, service: Service, route: Route, path: str, version: str) -> Object:
    kind, value = ("PathPrefix", path.rstrip("/")) if route.is_prefix else ("Exact", path)
    match = {"path": {"type": kind, "value": value}}
    filters = [_headers(env, service, version)]
    if path != route.target:
        filters.append(_rewrite(route))
    rule: Object = {
        "matches": [{**match, "method": method} for method in route.methods] or [match],
        "filters": filters,
        "backendRefs": [{"name": service.name, "port": service.port}],
    }
    if not service.websocket:  # an open WebSocket would be cut
        seconds, rest = divmod(timeout_ms(env, service.name), 1000)
        rule["timeouts"] = {"request": f"{seconds}s{rest}ms" if rest else f"{seconds}s"}
    return rule


def _headers(env: Environment, service: Service, version: str) -> Object:
    """What only the edge may say: a client's own header of that name is replaced or removed."""
    handshake, change = env.catalogue.handshake, {"set": [{"name": "X-Api-Version", "value": version}]}
    if service.handshake:
        change["set"].append({"name": handshake.header, "value": handshake.value})
        return {"type": "RequestHeaderModifier", "requestHeaderModifier": change}
    return {"type": "RequestHeaderModifier", "requestHeaderModifier": {**change, "remove": [handshake.header]}}


def _rewrite(route: Route) -> Object:
    if route.is_prefix:
        change = {"type": "ReplacePrefixMatch", "replacePrefixMatch": route.target.rstrip("/") or "/"}
    else:
        change = {"type": "ReplaceFullPath", "replaceFullPath": route.target}
    return {"type": "URLRewrite", "urlRewrite": {"path": change}}


def _ingress(env: Environment, service: Service) -> Object:
    paths = [
        {
            "path": route.path.rstrip("/"),
            "pathType": "Prefix" if route.is_prefix else "Exact",
            "backend": {"service": {"name": service.name, "port": {"name": PORT}}},
        }
        for route in env.catalogue.routes_of(service.name)
    ]
    spec = {
        "ingressClassName": str(env.setting.kubernetes_gateway_class),
        "tls": [{"hosts": hosts(env), "secretName": str(env.setting.kubernetes_tls_secret)}],
        "rules": [{"host": name, "http": {"paths": paths}} for name in hosts(env)],
    }
    place = namespace(env.catalogue, service)
    return item("networking.k8s.io/v1", "Ingress", service.name, place, labels={NAME: service.name}, spec=spec)
