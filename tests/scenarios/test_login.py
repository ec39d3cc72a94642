"""Login at the edge is switched on: who gets in, who does not, and what happens while nobody can check tokens."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from conftest import Figure
from control import Control
from edge_client import EdgeClient

from nexus.catalogue.gateway import Route
from nexus.provider.lab.machine import wait_until
from roles.functional.plan import TOKEN_SECONDS, token

ON = {"nginx_auth_request": True}
USER = "scenario"
TASK_SECONDS = 60


@pytest.fixture(scope="module")
def login(control: Control) -> Iterator[Control]:
    """The lab with login on; afterwards off again, with nothing left to change."""
    try:
        control.converged(ON)
        assert control.converged(ON).changes == []
        yield control
    finally:
        control.converged()
        again = control.converged()
        assert again.changes == [], again.changes


@pytest.fixture
def edge(login: Control) -> EdgeClient:
    return EdgeClient(login, login.lab.host(login.group("edge")[0]).address)


def signed(control: Control, key: str = "", age: float = 0) -> str:
    """A token of this scenario's user, by the platform's key if no other is given."""
    return token(key or control.planned.secret("service/jwt"), USER, time.time() - age)


def bearer(given: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {given}"}


def protected(control: Control) -> list[Route]:
    routes = [route for route in control.planned.catalogue.routes if route.auth == "required"]
    assert routes
    return routes


def test_every_protected_route_tells_good_tokens_from_bad_ones(login: Control, edge: EdgeClient) -> None:
    revoked = signed(login, age=1)
    done = edge.ask("/api/tokens/revoke", "POST", {"token": revoked}, **bearer(signed(login)))
    assert done.status == 200, done
    bad = {
        "forged": signed(login, key="not the key"),
        "expired": signed(login, age=TOKEN_SECONDS + 60),
        "revoked": revoked,
    }
    for route in protected(login):
        method = route.methods[0] if route.methods else "GET"
        assert edge.ask(route.path, method).status == 401, f"{route.path} without a token"
        for kind, given in bad.items():
            assert edge.ask(route.path, method, **bearer(given)).status == 401, f"{route.path}: {kind} token"
        answer = edge.ask(f"{route.path}x" if route.is_prefix else route.path, method, **bearer(signed(login)))
        assert (answer.status, answer.json["service"], answer.json["user"]) == (200, route.service, USER), route.path


def test_a_client_names_no_user_of_its_own(login: Control, edge: EdgeClient) -> None:
    forged = {"X-User-Id": "admin", "X-Remote-User": "admin"}
    answer = edge.ask("/api/products/1", **forged)
    assert answer.status == 200
    assert "user" not in answer.json
    assert edge.ask("/api/orders/1", **forged, **bearer(signed(login))).json["user"] == USER


def test_nobody_gets_in_while_tokens_cannot_be_checked(login: Control, edge: EdgeClient, figure: Figure) -> None:
    good, app = bearer(signed(login)), login.group("app")[0]

    def status() -> int:
        return edge.ask("/api/orders/1", **good).status

    login.ssh(app, "sudo docker service scale -d nexus_token-mgr=0")
    try:
        assert wait_until(lambda: status() == 503, TASK_SECONDS), f"without the token manager: {status()}"
        message = edge.ask("/api/orders/1", **good).json["error"]["message"]
        assert message == "The login cannot be checked at the moment."
        assert edge.ask("/api/orders/1").status == 401
        assert edge.ask("/api/products/1").status == 200
    finally:
        began = time.monotonic()
        login.ssh(app, "sudo docker service scale -d nexus_token-mgr=1")
        assert wait_until(lambda: status() == 200, TASK_SECONDS), f"with the token manager back: {status()}"
    figure("login: answered again after the token manager's start", time.monotonic() - began)
