"""The edge as a client sees it: a real Nginx and a real router in front of fake services."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.plan import diff, manifest
from nexus.plan.desired import Desired
from roles.nginx.location import locations
from roles.nginx.plan import plan
from tests.plan.real_edge import (
    ADDRESS,
    DOMAIN,
    LIMITED,
    UNLIMITED,
    Answer,
    Edge,
    Secure,
    environment,
    reason_to_skip,
    running,
    wait_until,
)

needs_edge = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip())
ATTEMPTS = 8
_numbers = count(1)


def a_client() -> str:
    """An address that no other test uses, so that limits start at zero."""
    return f"{LIMITED}{next(_numbers)}"


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    directory = tmp_path_factory.mktemp("edge")
    with running(directory, nginx_admin_networks=[f"{UNLIMITED}/32"], nginx_api_key_clients=["partner"]) as edge:
        yield edge


def routes() -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Requested path, path that the service should see, service, methods."""
    found: list[tuple[str, str, str, tuple[str, ...]]] = []
    for route in environment(Path("/nonexistent")).catalogue.routes:
        if route.is_prefix:
            found.append((route.path + "a/b%20c", route.target + "a/b%20c", route.service, route.methods))
            found.append((route.path[:-1], route.target[:-1], route.service, route.methods))
        else:
            found.append((route.path, route.target, route.service, route.methods))
    return found


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
    ("path", "megabytes", "status"),
    [("/api/orders/", 10, 200), ("/api/orders/", 11, 413), ("/api/dsp/upload", 50, 200), ("/api/dsp/upload", 51, 413)],
)
def test_body_limits(edge: Edge, path: str, megabytes: int, status: int) -> None:
    answer = edge.ask("POST", path, body=bytes(megabytes * 2**20), headers={"Expect": ""})
    assert answer.status == status
    assert status == 200 or answer.json["error"]["code"] == "PAYLOAD_TOO_LARGE"


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


def _many(edge: Edge, source: str, number: int) -> list[Answer]:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda _: edge.get("/api/content/x", source=source), range(number)))


def _at_once(edge: Edge, number: int) -> tuple[list[bytes], float]:
    """Answers to a new client that sends all requests at once, and their duration in seconds."""
    request = f"GET /api/content/x HTTP/1.1\r\nHost: {DOMAIN}\r\n"
    connection = Secure(DOMAIN, edge.https, edge.tls(), a_client())
    connection.connect()
    began = time.monotonic()
    with connection.sock as session:
        session.sendall(f"{request}\r\n".encode() * (number - 1) + f"{request}Connection: close\r\n\r\n".encode())
        answers = session.makefile("rb").read().split(b"HTTP/1.1 ")[1:]
    return answers, time.monotonic() - began


@needs_edge
def test_rate_limit_per_address(edge: Edge) -> None:
    """On a machine too busy to answer faster than the limit, the test tries again."""
    for _ in range(ATTEMPTS):
        answers, seconds = _at_once(edge, 500)
        refused = [answer for answer in answers if answer.startswith(b"429 ")]
        if refused or seconds < (len(answers) - 20) / 100:  # the burst and the rate of gateway.yaml
            break
    assert 0 < len(refused) < len(answers) - 20, "more than the burst passes, and not all"
    assert all(b"\r\nRetry-After: 1\r\n" in answer for answer in refused)
    assert all(b'"code":"RATE_LIMITED"' in answer for answer in refused)


@needs_edge
def test_rate_limit_is_lifted_for_listed_networks(edge: Edge) -> None:
    assert {answer.status for answer in _many(edge, UNLIMITED, 300)} == {200}


@needs_edge
def test_connections_per_address(edge: Edge) -> None:
    source, held = a_client(), {"X-Fault": "hold"}
    edge.played.held, edge.played.let_go = 0, False
    with ThreadPoolExecutor(14) as pool:
        asked = [pool.submit(edge.get, "/api/content/x", source=source, headers=held) for _ in range(14)]
        try:
            wait_until(lambda: edge.played.held + sum(one.done() for one in asked) == 14, "all of them have come in")
        finally:
            edge.played.let_go = True
        answers = [one.result().status for one in asked]
    assert answers.count(200) == 10
    assert answers.count(429) == 4


@needs_edge
@pytest.mark.parametrize(("path", "allowed", "seconds"), [("/api/auth/login", 5, 900), ("/api/auth/register", 3, 3600)])
def test_long_windows(edge: Edge, path: str, allowed: int, seconds: int) -> None:
    source = a_client()
    assert [edge.ask("POST", path, source=source).status for _ in range(allowed)] == [200] * allowed
    letter = f"%{ord(path[-1]):X}"
    for written in (path, path[:-1] + letter, path.replace("/api", "/api/v1"), path.replace("/auth", "//auth")):
        answer = edge.ask("POST", written, source=source)
        assert answer.status == 429, written
        assert answer.headers.get_all("Retry-After") == [str(seconds)]
        assert answer.json["error"]["code"] == "RATE_LIMITED"
    assert edge.get("/api/content/x", source=source).status == 200
    assert edge.ask("POST", path, source=a_client()).status == 200
    assert {edge.ask("POST", path).status for _ in range(20)} == {200}


@needs_edge
def test_special_paths(edge: Edge) -> None:
    assert edge.get("/api/admin/x", source=a_client()).status == 403
    assert edge.get("/api/admin/x", source=UNLIMITED).status == 404
    key = edge.env.secret("nginx/api-key/partner")
    assert edge.get("/api/public/x").json["error"]["code"] == "FORBIDDEN"
    assert edge.get("/api/public/x", headers={"X-Api-Key": f"{key}x"}).status == 403
    assert edge.get("/api/public/x", headers={"X-Api-Key": key}).status == 404


@needs_edge
def test_answers_when_the_router_is_away(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("away")) as edge:
        edge.processes[0].kill()
        edge.processes[0].wait()
        answer = edge.get("/api/content/x")
        assert answer.status in (502, 504)
        assert answer.json["success"] is False
        assert edge.get("/health").status == 200


def test_plan_names_all_that_a_reload_reads(tmp_path_factory: pytest.TempPathFactory) -> None:
    env = environment(tmp_path_factory.mktemp("plan"))
    desired = plan(env, env.hosts[0])
    (unit,) = desired.units
    assert {file.path for file in desired.files if not file.implied} < set(unit.reload_on)
    assert [file.path for file in desired.files if file.implied] == ["/etc/nginx/nexus-cos/stamp.conf"]
    assert {"/etc/nexus-cos/tls/leaf.pem", "/etc/nexus-cos/tls/leaf.key"} < set(unit.reload_on)
    assert not unit.restart_on


def test_excluded_service_has_no_location(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("excluded")
    whole = environment(directory)
    assert "metatwin" in {location.service for location in locations(whole, whole.setting)}
    env = environment(directory, services_excluded=["metatwin", "puaboverse-v2"])
    assert "metatwin" not in {location.service for location in locations(env, env.setting)}
    assert "metatwin" not in "".join(file.data.decode() for file in plan(env, env.hosts[0]).files)


def test_the_size_of_uploads_is_a_tuning_like_others(tmp_path: Path) -> None:
    env = environment(tmp_path, nginx_tuning={"client_max_body_size": "40m"})
    services = env.setting.nginx_upload_services
    assert {one.body_bytes for one in locations(env, env.setting) if one.service in services} == {40 * 2**20}
    env = environment(tmp_path, nginx_tuning={"client_max_body_size": "40 MB"})
    with pytest.raises(OperatorError, match='client_max_body_size is "40 MB"'):
        locations(env, env.setting)


@pytest.mark.parametrize(
    ("setting", "part"),
    [
        ({"nginx_hsts_seconds": 1}, "nexus-cos/header.conf"),
        ({"nginx_cors_origins": ["https://partner.example.org"]}, "nexus-cos/cors.conf"),
        ({"nginx_tuning": {"keepalive_timeout": "31"}}, "nginx.conf"),
        ({"nginx_listen_addresses": ["192.0.2.1"]}, "nexus-cos/site.conf"),
    ],
)
def test_one_setting_is_one_change_and_its_reload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: dict[str, Any], part: str
) -> None:
    rendered: list[str] = []
    render = Environment.render

    def count(env: Environment, template: str, **values: Any) -> str:
        rendered.append(template)
        return render(env, template, **values)

    before, after = environment(tmp_path), environment(tmp_path, **setting)
    there = diff.complete(plan(before, before.hosts[0]))
    monkeypatch.setattr(Environment, "render", count)
    wanted = diff.complete(plan(after, after.hosts[0]))
    assert len(rendered) == len(set(rendered)) == len(list(Path("templates/nginx").glob("*.j2")))
    planned = {file.path: file.sha256 for file in wanted.files}
    found = diff.compare("nginx", wanted, as_planned(there), planned)
    path = f"/etc/nginx/{part}"
    assert [str(change) for change in found.changes] == [
        f"file {path}: content differs", f"unit nginx.service: reload: runs with an older {path}",
    ]  # fmt: skip
    files, _, state = found.steps
    assert [file["path"] for file in files["items"]] == [path, "/etc/nginx/nexus-cos/stamp.conf"]
    assert state["changed"] == ["nginx config"]


def as_planned(desired: Desired) -> dict[str, Any]:
    """The answer of a host that has all this and runs with it."""
    paths = {file.path: ["file", file.mode, file.owner, file.group, file.sha256] for file in desired.files}
    stamp = {path: found[4] for path, found in paths.items()}
    paths |= {each.path: ["directory", each.mode, each.owner, each.group, None] for each in desired.directories}
    runs = {"ActiveState": "active", "UnitFileState": "enabled", "NeedDaemonReload": "no", "stamp": stamp}
    answer: dict[str, Any] = {
        "paths": paths,
        "packages": dict.fromkeys(desired.packages, "installed"),
        "users": {},
        "groups": {},
        "units": {unit.name: runs for unit in desired.units},
        "states": {state.name: {"items": dict(state.items)} for state in desired.states},
    }
    named = manifest.records(desired, answer)
    return answer | {"manifest": {"nginx": {kind: dict.fromkeys(names, True) for kind, names in named.items()}}}


@needs_edge
def test_running_nginx_names_its_configuration(edge: Edge) -> None:
    state, *_ = plan(edge.env, edge.env.hosts[0]).states
    connection = http.client.HTTPConnection("127.0.0.1", edge.settings["nginx_status_port"], timeout=5)
    connection.request("GET", "/config")
    assert connection.getresponse().read().decode() == state.items["nginx config"]["sha256"]
    other = environment(edge.directory, **{**edge.settings, "nginx_hsts_seconds": 1})
    assert plan(other, other.hosts[0]).states[0].items != state.items


@needs_edge
def test_only_a_closed_module_answers_with_a_page(tmp_path: Path) -> None:
    with running(tmp_path, nginx_maintenance=["puabo-nexus"]) as edge:
        # its own service is closed; billing-service, which other modules need, is not
        path = route_of("puabo-nexus-fleet-manager")
        told = edge.get(path)
        assert (told.status, told.headers["Retry-After"]) == (503, "600")
        assert told.json["error"]["code"] == "SERVICE_UNAVAILABLE"
        page = edge.get(path, headers={"Accept": "text/html,*/*"})
        assert (page.status, page.headers["Retry-After"]) == (503, "600")
        assert page.headers["Content-Type"].startswith("text/html")
        assert b"Maintenance" in page.body
        assert edge.get(route_of("billing-service")).status == 200


def route_of(service: str) -> str:
    """A path that is routed to the service."""
    env = environment(Path("/nonexistent"))
    return next(route.path for route in env.catalogue.routes if route.service == service)
