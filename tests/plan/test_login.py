"""Login at the edge: a real Nginx and a real router, and a fake service that checks tokens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nexus.error import OperatorError
from roles.functional.plan import token
from roles.nginx.plan import plan
from roles.router.plan import configuration
from tests.plan.real_edge import LIMITED, UNLIMITED, Edge, environment, reason_to_skip, running, wait_until

needs_edge = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip())
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
OPEN = {"/api/auth/login", "/api/auth/register", "/api/errors/"}  # the last one: reports of errors, by POST
GOOD, BAD = token("key", "u-17", time.time()), token("other", "u-17", time.time())


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with running(
        tmp_path_factory.mktemp("login"), nginx_auth_request=True, nginx_admin_networks=[f"{UNLIMITED}/32"]
    ) as edge:
        edge.played.good = {GOOD}
        yield edge


def bearer(given: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {given}"}


@needs_edge
def test_protected_routes_want_a_good_token(edge: Edge) -> None:
    protected = [route for route in edge.env.catalogue.routes if route.path not in OPEN]
    assert len(protected) == 41
    for route in protected:
        method = route.methods[0] if route.methods else "DELETE"
        for headers in ({}, bearer(BAD), {"Authorization": GOOD}, {"Authorization": "Basic dTpw"}, bearer('x"}')):
            answer = edge.ask(method, route.path, headers=headers)
            assert (answer.status, method == "HEAD" or answer.json["error"]["code"]) == (401, "UNAUTHORIZED"), route
        assert edge.ask(method, route.path, headers=bearer(GOOD)).json["headers"]["x-user-id"] == "u-17", route


@needs_edge
def test_open_routes_want_none(edge: Edge) -> None:
    for path in OPEN:
        assert edge.ask("POST", path).status == 200, path
    assert edge.get("/api/products/1").status == 200
    assert edge.ask("POST", "/api/products/").status == 401
    assert edge.ask("OPTIONS", "/api/orders/1").status == 401


@needs_edge
def test_the_check_gets_the_token_alone(edge: Edge) -> None:
    headers = {**bearer(GOOD), "Cookie": "session=1", "X-User-Id": "admin"}
    answer = edge.ask("POST", "/api/v1/orders/1?secret=1", headers=headers, body=b"12345").json
    assert (answer["length"], answer["headers"]["x-api-version"], answer["headers"]["x-user-id"]) == (5, "v1", "u-17")
    asked = next(fact for fact in reversed(edge.played.seen) if "x-nexus-login" in fact["headers"])
    assert (asked["service"], asked["method"], asked["path"]) == ("token-mgr", "POST", "/tokens/verify")
    assert asked["headers"]["x-original-uri"] == "/api/v1/orders/1"
    assert asked["length"] == len('{"token":"') + len(GOOD) + len('"}')
    assert "cookie" not in asked["headers"]
    assert edge.get("/.edge/auth").status == 404


@needs_edge
def test_websockets_bring_it_in_their_address(edge: Edge) -> None:
    assert edge.get("/api/metatwin/live", headers=UPGRADE).status == 401
    assert edge.get(f"/api/metatwin/live?token={BAD}", headers=UPGRADE).status == 401
    assert edge.get(f"/api/metatwin/live?token={GOOD}").status == 401  # only for a WebSocket
    assert edge.get(f"/api/metatwin/live?token={GOOD}", headers=UPGRADE).status == 101
    assert edge.played.seen[-1]["headers"]["x-user-id"] == "u-17"


@needs_edge
@pytest.mark.parametrize("user", ["", "two words", "line\r\nX-Admin: yes", "x" * 129])
def test_a_user_that_is_no_word_is_not_passed_on(edge: Edge, user: str) -> None:
    given = token("key", user, time.time())
    edge.played.good.add(given)
    headers = edge.get("/api/orders/1", headers=bearer(given)).json["headers"]
    assert not {"x-user-id", "x-admin"} & set(headers)


@needs_edge
def test_who_issues_tokens_is_not_reached_from_outside(edge: Edge) -> None:
    for path in ("/api/tokens/generate", "/api/v1/tokens/Generate/", "/api/tokens//%67enerate"):
        answer = edge.ask("POST", path, source=f"{LIMITED}200", headers=bearer(GOOD))
        assert answer.json["error"]["code"] == "FORBIDDEN", path
    seen = edge.ask("POST", "/api/tokens/generate", headers=bearer(GOOD)).json
    assert (seen["service"], seen["path"]) == ("token-mgr", "/tokens/generate")
    assert edge.ask("POST", "/api/tokens/generate").status == 401
    assert edge.ask("POST", "/api/tokens/verify", source=f"{LIMITED}201", headers=bearer(GOOD)).status == 200


@needs_edge
@pytest.mark.parametrize("status", [404, 500, 501, 503])
def test_nobody_gets_in_while_tokens_are_not_checked(edge: Edge, status: int) -> None:
    edge.played.login_fault = status
    try:
        answer = edge.get("/api/orders/1.html", headers=bearer(GOOD))  # JSON, whatever its end looks like
        assert answer.status == 503
        assert answer.json["error"]["message"] == "The login cannot be checked at the moment."
        assert edge.get("/api/orders/1").status == 401
        assert edge.get("/api/products/1").status == 200
    finally:
        edge.played.login_fault = 0
    log = (edge.directory / "access.log").read_text
    wait_until(lambda: f'"loginStatus":"{status}"' in log(), "the status of the check in the access log")
    assert GOOD not in log()
    assert "auth request unexpected status" in (edge.directory / "error.log").read_text()


@needs_edge
def test_the_log_names_the_user(edge: Edge) -> None:
    edge.get("/api/orders/logged", headers=bearer(GOOD))
    log = (edge.directory / "access.log").read_text
    wait_until(lambda: "/api/orders/logged" in log(), "the request in the access log")
    assert '"userId":"u-17"' in next(line for line in log().splitlines() if "/api/orders/logged" in line)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"nginx_auth_service": "tokn-mgr"}, 'nginx_auth_service is "tokn-mgr".*did you mean .?token-mgr'),
        ({"nginx_auth_user_claim": "a b"}, 'nginx_auth_user_claim is "a b"'),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    env = environment(tmp_path, nginx_auth_request=True, **settings)
    with pytest.raises(OperatorError, match=message):
        (plan(env, env.hosts[0]), configuration(env))


def test_nothing_of_it_is_there_while_it_is_off(tmp_path: Path) -> None:
    env = environment(tmp_path)
    text = "".join(file.data.decode() for file in plan(env, env.hosts[0]).files)
    assert "auth_request" not in text
    assert "jwt" not in configuration(env)[0]
