"""The edge as a client sees it: a real Nginx and a real router in front of fake services."""

from __future__ import annotations

import http.client
import socket
import ssl

import pytest

from roles.nginx.plan import plan
from tests.plan.edge_fixture import a_client, edge_, needs_edge, routes  # noqa: F401 - edge_ is a fixture
from tests.plan.edge_request import ADDRESS, Secure
from tests.plan.real_edge import DOMAIN, UNLIMITED, Edge, environment, wait_until


def test_every_route_is_there() -> None:
    assert len({service for _, _, service, _ in routes()}) == 42
    assert len(routes()) == 6 + 2 * 38


@needs_edge
@pytest.mark.parametrize("version", ["", "/v1", "/v2"])
@pytest.mark.parametrize(("path", "target", "service", "methods"), routes())
def test_route_reaches_its_service(
    edge: Edge, path: str, target: str, service: str, methods: tuple[str, ...], version: str
) -> None:
    method = methods[0] if methods else "POST"
    body = b"x" * 100 if method == "POST" else None
    answer = edge.ask(method, path.replace("/api", f"/api{version}", 1) + "?q=1%2F2", body=body)
    assert answer.status == 200
    seen = answer.json
    assert (seen["service"], seen["method"], seen["path"]) == (service, method, f"{target}?q=1%2F2")
    assert seen["length"] == len(body or b"")
    assert seen["headers"]["x-api-version"] == (version.strip("/") or "v2")


@needs_edge
@pytest.mark.parametrize(("path", "target", "service", "methods"), routes())
def test_method_rules(edge: Edge, path: str, target: str, service: str, methods: tuple[str, ...]) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        allowed = not methods or method in (*methods, "OPTIONS") or (method == "HEAD" and "GET" in methods)
        answer = edge.ask(method, path)
        assert answer.status == (200 if allowed else 405), method
        if not allowed:
            assert set(methods) < set(answer.headers["Allow"].split(", "))
            assert method not in answer.headers["Allow"].split(", ")
            assert method == "HEAD" or answer.json["error"]["code"] == "METHOD_NOT_ALLOWED"


@needs_edge
def test_client_cannot_speak_for_the_edge(edge: Edge) -> None:
    forged = {
        "X-Nexus-Service": "ledger-mgr",
        "X-N3XUS-Handshake": "guess",
        "X-Nexus-Limit": "login",
        "X-Real-IP": "1.2.3.4",
        "X-Forwarded-For": "1.2.3.4",
        "X-Request-Id": "mine",
        "X-Api-Version": "v9",
        "X-Nexus-Login": "1",
        "X-User-Id": "admin",
        "X-Remote-User": "admin",
    }
    seen = edge.get("/api/creator/x", headers=forged).json
    assert seen["service"] == "creator-hub-v2"
    assert "x-n3xus-handshake" not in seen["headers"]
    assert not {"x-nexus-limit", "x-nexus-login", "x-user-id", "x-remote-user"} & set(seen["headers"])
    assert seen["headers"]["x-real-ip"] == seen["headers"]["x-forwarded-for"] == UNLIMITED
    assert seen["headers"]["x-request-id"] != "mine"
    assert seen["headers"]["x-api-version"] == "v2"


@needs_edge
def test_handshake_for_those_that_want_it(edge: Edge) -> None:
    wanted = {name for name, service in edge.env.catalogue.services.items() if service.handshake}
    assert len(wanted) == 6
    for path, _, service, methods in routes():
        method = methods[0] if methods else "GET"
        headers = edge.ask(method, path, headers={"X-N3XUS-Handshake": "guess"}).json["headers"]
        assert headers.get("x-n3xus-handshake") == ("55-45-17" if service in wanted else None), path


@needs_edge
@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/", "/api/nothing", "/api/auth/login/", "/api/v3/content/x", "/health/live", "/metrics"]
)
def test_unknown_path_is_a_json_404(edge: Edge, path: str) -> None:
    answer = edge.get(path)
    assert answer.status == 404
    assert answer.json["success"] is False
    assert answer.json["data"] is None
    assert answer.json["error"]["code"] == "NOT_FOUND"
    assert answer.json["meta"]["requestId"] == answer.headers["X-Request-Id"]
    assert answer.json["meta"]["timestamp"].startswith("20")


@needs_edge
def test_names(edge: Edge) -> None:
    assert edge.get("/api/content/x", host=f"api.{DOMAIN}").json["service"] == "content-management"
    assert edge.get("/api/content/x", headers={"Host": "elsewhere.example.org"}).status == 404
    assert edge.get("/health", headers={"Host": ADDRESS}).json == {"status": "ok"}


@needs_edge
def test_health_is_not_logged(edge: Edge) -> None:
    edge.get("/health")
    edge.get("/api/content/logged?token=secret")
    written = (edge.directory / "access.log").read_text
    # Nginx logs the request after the last byte of its answer.
    wait_until(lambda: "/api/content/logged" in written(), "the request in the access log")
    log = written()
    assert "/health" not in log.replace("/health/live", "")
    assert "token=secret" not in log


@needs_edge
def test_plain_http_is_redirected(edge: Edge) -> None:
    connection = http.client.HTTPConnection(ADDRESS, edge.http, timeout=5)
    connection.request("GET", "/api/content/x?a=b", headers={"Host": DOMAIN})
    answer = connection.getresponse()
    assert answer.status == 301
    assert answer.headers["Location"] == f"https://{DOMAIN}:{edge.https}/api/content/x?a=b"
    connection = http.client.HTTPConnection(ADDRESS, edge.https, timeout=5)
    connection.request("GET", "/x", headers={"Host": DOMAIN})
    assert connection.getresponse().status == 301


@needs_edge
@pytest.mark.parametrize(
    ("version", "works"),
    [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)],
)
def test_tls_versions(edge: Edge, version: ssl.TLSVersion, works: bool) -> None:
    context = edge.tls()
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.minimum_version = context.maximum_version = version
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with socket.create_connection((ADDRESS, edge.https), 5) as raw:
        if not works:
            with pytest.raises(ssl.SSLError):
                context.wrap_socket(raw, server_hostname=DOMAIN)
            return
        with context.wrap_socket(raw, server_hostname=DOMAIN) as secure:
            assert secure.selected_alpn_protocol() == "h2"


@needs_edge
@pytest.mark.parametrize("path", ["/health", "/api/nothing", "/api/content/x", "/api/auth/login"])
def test_headers_of_every_answer(edge: Edge, path: str) -> None:
    headers = edge.get(path).all
    names = [name for name, _ in headers]
    for name, value in {
        "x-frame-options": "SAMEORIGIN",
        "x-content-type-options": "nosniff",
        "x-xss-protection": "1; mode=block",
        "strict-transport-security": "max-age=31536000; includeSubDomains",
    }.items():
        assert headers.count((name, value)) == names.count(name) == 1
    policy = dict(headers)["content-security-policy"]
    assert f"connect-src 'self' https://api.{DOMAIN}" in policy
    assert dict(headers)["server"] == "nginx"
    assert "x-powered-by" not in names


@needs_edge
def test_cross_origin(edge: Edge) -> None:
    asked = {"Origin": f"https://{DOMAIN}", "Access-Control-Request-Method": "POST"}
    answer = edge.ask("OPTIONS", "/api/auth/login", headers=asked)
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == f"https://{DOMAIN}"
    assert answer.headers["Access-Control-Allow-Methods"] == "OPTIONS, POST"
    assert answer.headers["Access-Control-Max-Age"] == "86400"
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    answer = edge.get("/api/content/x", headers={"Origin": f"https://{DOMAIN}"})
    assert answer.headers.get_all("Access-Control-Allow-Origin") == [f"https://{DOMAIN}"]
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    answer = edge.get("/api/content/x", headers={"Origin": "https://elsewhere.example.org"})
    assert answer.headers["Access-Control-Allow-Origin"] is None


@needs_edge
@pytest.mark.parametrize(
    ("path", "target"), [("/api/v1/metatwin/live", "/api/metatwin/live"), ("/api/sessions/s", "/sessions/s")]
)
def test_websocket(edge: Edge, path: str, target: str) -> None:
    connection = Secure(DOMAIN, edge.https, edge.tls(), UNLIMITED)
    wanted = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    connection.request("GET", f"{path}?token=t", headers={**wanted, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    answer = connection.sock.recv(4096)
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer
    assert edge.played.seen[-1]["path"] == f"{target}?token=t"
    connection.sock.sendall(b"\x81\x05hello")
    assert connection.sock.recv(4096) == b"\x81\x05hello"
    connection.close()


@needs_edge
def test_websocket_keeps_the_method_rules(edge: Edge) -> None:
    assert edge.get("/api/ai/kei/x", headers={"Upgrade": "websocket"}).status == 405


@needs_edge
def test_special_paths(edge: Edge) -> None:
    assert edge.get("/api/admin/x", source=a_client()).status == 403
    assert edge.get("/api/admin/x", source=UNLIMITED).status == 404
    key = edge.env.secret("nginx/api-key/partner")
    assert edge.get("/api/public/x").json["error"]["code"] == "FORBIDDEN"
    assert edge.get("/api/public/x", headers={"X-Api-Key": f"{key}x"}).status == 403
    assert edge.get("/api/public/x", headers={"X-Api-Key": key}).status == 404


@needs_edge
def test_running_nginx_names_its_configuration(edge: Edge) -> None:
    state, *_ = plan(edge.env, edge.env.hosts[0]).states
    connection = http.client.HTTPConnection("127.0.0.1", edge.settings["nginx_status_port"], timeout=5)
    connection.request("GET", "/config")
    assert connection.getresponse().read().decode() == state.items["nginx config"]["sha256"]
    other = environment(edge.directory, **{**edge.settings, "nginx_hsts_seconds": 1})
    assert plan(other, other.hosts[0]).states[0].items != state.items
