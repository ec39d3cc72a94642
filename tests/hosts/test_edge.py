"""The edge as its users see it: names and TLS, every route, and what is refused."""

from __future__ import annotations

import ssl
import time
from typing import Any

import pytest

from hosts.client import Answer, Edge
from hosts.fleet import Fleet
from hosts.login import bearer
from hosts.question import router_ports
from nexus.catalogue.gateway import Route
from nexus.pki.ca import RENEW_DAYS
from roles.image.checkout import checkout

CERTIFICATE_DAYS_MIN = RENEW_DAYS  # a leaf lives for three periods and is replaced after one
ALL_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
Edges = dict[str, Edge]


def real_code(fleet: Fleet, service: str) -> bool:
    """Whether the service runs code of its own: then only what changes nothing is asked of it."""
    code = checkout(fleet.env)
    return bool(code and code.has(fleet.env.catalogue.service(service)))


def methods(fleet: Fleet, route: Route) -> list[str]:
    """Methods that a route is tried with."""
    if real_code(fleet, route.service):
        return ["GET"] if not route.methods or "GET" in route.methods else ["OPTIONS"]
    return list(route.methods) or ["GET", "POST"]


def answered_by(fleet: Fleet, route: Route, what: str, answer: Answer, method: str, path: str) -> None:
    """The check fails where not the service of the route answered, or for another path than its own."""
    assert answer.status != 429, (
        f"{what}: 429, the limit for one client is used up. Add the network of this machine to "
        f"edge_unlimited_networks, or try again later: {answer.text[:200]}"
    )
    if real_code(fleet, route.service):
        assert answer.status not in (405, 502, 503, 504), f"{what}: {answer}"
        code = ((answer.json or {}).get("error") or {}) if isinstance(answer.json, dict) else {}
        assert not (isinstance(code, dict) and code.get("code") == "NOT_FOUND"), f"{what}: no service took it: {answer}"
        return
    assert answer.status == 200, f"{what}: {answer}"
    body: dict[str, Any] = answer.json if isinstance(answer.json, dict) else {}
    assert body.get("service") == route.service, f"{what}: {body.get('service')} answered, planned is {route.service}"
    assert body["method"] == method, f"{what}: arrived as {body['method']}"
    assert body["path"] == path, f"{what}: arrived at {body['path']}, planned is {path}"
    wanted = "valid" if fleet.env.catalogue.service(route.service).handshake else None
    assert body.get("handshake") == wanted, f"{what}: the handshake is {body.get('handshake')}, planned is {wanted}"


@pytest.mark.routes
def test_route(fleet: Fleet, edges: Edges, hostname: str, route: Route) -> None:
    fleet.seen(hostname)
    below = "verify/it" if route.is_prefix else ""
    for method in methods(fleet, route):
        body = b'{"verify":true}' if method == "POST" else None
        answer = edges[hostname].ask(f"{route.path}{below}?a=1", method, body, **bearer(fleet))
        answered_by(fleet, route, f"{hostname}: {method} {route.path}{below}", answer, method, f"{route.target}{below}")


@pytest.mark.routes(which=lambda route: route.is_prefix)
def test_route_without_its_slash(fleet: Fleet, edges: Edges, hostname: str, route: Route) -> None:
    fleet.seen(hostname)
    path, method = route.path.rstrip("/"), methods(fleet, route)[-1]
    body = b'{"verify":true}' if method == "POST" else None
    answer = edges[hostname].ask(path, method, body, **bearer(fleet))
    assert answer.status not in (301, 302, 307, 308), f"{hostname}: {method} {path} is redirected, without its body"
    answered_by(fleet, route, f"{hostname}: {method} {path}", answer, method, route.target.rstrip("/") or "/")


@pytest.mark.routes(which=lambda route: route.methods)
def test_other_methods_are_refused(fleet: Fleet, edges: Edges, hostname: str, route: Route) -> None:
    fleet.seen(hostname)
    for method in (method for method in ALL_METHODS if method not in route.methods):
        answer = edges[hostname].ask(route.path, method)
        assert answer.status == 405, f"{hostname}: {method} {route.path}: {answer.status}, planned is 405"
        told = {word.strip() for word in answer.headers.get("allow", "").split(",")}
        assert set(route.methods) <= told, f"{hostname}: {method} {route.path}: Allow names {told}, not {route.methods}"


@pytest.mark.hosts("edge")
def test_health(fleet: Fleet, edges: Edges, hostname: str) -> None:
    fleet.seen(hostname)
    answer = edges[hostname].ask(fleet.env.catalogue.gateway.edge.health_path)
    assert (answer.status, answer.json) == (200, {"status": "ok"}), f"{hostname}: /health: {answer}"


@pytest.mark.hosts("edge")
def test_unknown_paths_are_a_json_404(fleet: Fleet, edges: Edges, hostname: str) -> None:
    fleet.seen(hostname)
    for path in ("/nothing/is/here", "/api/nothing", "/api/"):
        answer = edges[hostname].ask(path)
        assert answer.status == 404, f"{hostname}: {path}: {answer.status}, planned is 404"
        body = answer.json or {}
        assert body.get("error", {}).get("code") == "NOT_FOUND", f"{hostname}: {path}: no envelope: {answer}"


@pytest.mark.hosts("edge")
def test_special_paths_are_closed(fleet: Fleet, edges: Edges, hostname: str) -> None:
    fleet.seen(hostname)
    specials = fleet.env.catalogue.gateway.special_paths
    assert specials, "the catalogue closes no path"
    for special in specials:
        networks = fleet.env.host(hostname).setting.nginx_admin_networks if special.rule != "api-key" else []
        wanted = [special.deny, 404] if networks else [special.deny]  # who is let in finds nothing: no service is there
        status = edges[hostname].ask(f"{special.path}verify").status
        assert status in wanted, f"{hostname}: {special.path}: {status}, planned is {wanted}"


@pytest.mark.hosts("edge")
def test_security_headers(fleet: Fleet, edges: Edges, hostname: str) -> None:
    fleet.seen(hostname)
    found = edges[hostname].ask("/health").headers
    for name, value in fleet.env.catalogue.gateway.security_headers.items():
        there = found.get(name.lower())
        assert there == value, f"{hostname}: header {name} is {there}, planned is {value}"
    assert "strict-transport-security" in found, f"{hostname}: Strict-Transport-Security is missing"
    assert not any(char.isdigit() for char in found.get("server", "")), (
        f"{hostname}: names a version: {found['server']}"
    )


@pytest.mark.hosts("edge")
def test_http_is_redirected(fleet: Fleet, edges: Edges, hostname: str) -> None:
    fleet.seen(hostname)
    edge, wanted = edges[hostname], fleet.env.catalogue.gateway.tls.redirect_http
    answer = edge.plain("/api/x?y=1")
    port = "" if edge.port == 443 else f":{edge.port}"
    there = (answer.status, answer.headers.get("location"))
    planned = (wanted, f"https://{edge.domain}{port}/api/x?y=1")
    assert there == planned, f"{hostname}: http://{edge.domain}/api/x?y=1 is {there}, planned is {planned}"


@pytest.mark.hosts("edge")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls_version(fleet: Fleet, edges: Edges, hostname: str, version: str) -> None:
    fleet.seen(hostname)
    name = version.replace("_", ".")
    taken = name in fleet.env.catalogue.gateway.tls.protocols
    found = edges[hostname].handshake(ssl.TLSVersion[version])
    planned = name if taken else "refused: TLSV1_ALERT_PROTOCOL_VERSION"
    assert found == planned, f"{hostname}: a client that offers {name} alone: {found}, planned is {planned}"


@pytest.mark.hosts("edge")
def test_certificate(fleet: Fleet, edges: Edges, hostname: str) -> None:
    fleet.seen(hostname)
    found, domain = edges[hostname].certificate, fleet.env.setting.domain
    names = {value for kind, value in found["subjectAltName"] if kind == "DNS"}
    for name in (domain, f"api.{domain}"):
        covered = name in names or f"*.{name.split('.', 1)[1]}" in names
        assert covered, f"{hostname}: the certificate is for {', '.join(sorted(names))}, not for {name}"
    days = (ssl.cert_time_to_seconds(found["notAfter"]) - time.time()) / 86400
    assert days >= CERTIFICATE_DAYS_MIN, f"{hostname}: the certificate ends in {days:.0f} days ({found['notAfter']})"


@pytest.mark.hosts("edge")
def test_router_is_closed_to_this_machine(fleet: Fleet, hostname: str) -> None:
    fleet.seen(hostname)
    edge = fleet.env.host(hostname)
    if not fleet.reached[hostname]:
        pytest.skip(f"{hostname} is not reached from this machine; the other hosts were asked")
    let_in = [str(port) for port in router_ports(edge) if fleet.from_here[hostname][port] == "open"]
    assert not let_in, f"{hostname}: the router's ports {', '.join(let_in)} are open to this machine"
