"""Login at the edge, where it is on: protected routes refuse every request without a good token."""

from __future__ import annotations

import pytest

from hosts.client import Edge
from hosts.fleet import Fleet
from hosts.login import bad, bearer
from hosts.test_edge import methods
from nexus.catalogue.gateway import Route

Edges = dict[str, Edge]


@pytest.fixture(autouse=True)
def only_where_login_is_on(fleet: Fleet) -> None:
    if not fleet.env.setting.nginx_auth_request:
        pytest.skip("login at the edge is off: nginx_auth_request")


@pytest.mark.routes(which=lambda route: route.auth == "required")
def test_a_protected_route_wants_a_good_token(fleet: Fleet, edges: Edges, hostname: str, route: Route) -> None:
    fleet.seen(hostname)
    method, ask = methods(fleet, route)[0], edges[hostname].ask
    assert ask(route.path, method).status == 401, f"{hostname}: {method} {route.path} without a token is answered"
    for kind, given in bad(fleet).items():
        status = ask(route.path, method, Authorization=f"Bearer {given}").status
        assert status == 401, f"{hostname}: {method} {route.path} with a token that is {kind}: {status}, planned is 401"
    status = ask(route.path, method, None, **bearer(fleet)).status
    assert status not in (401, 403, 503), f"{hostname}: {method} {route.path} with a good token: {status}"


@pytest.mark.hosts("edge")
def test_tokens_are_not_issued_to_clients(fleet: Fleet, edges: Edges, hostname: str) -> None:
    fleet.seen(hostname)
    host = fleet.env.host(hostname)
    if host.setting.nginx_admin_networks:
        pytest.skip("nginx_admin_networks may include this machine, and those networks may issue tokens")
    assert host.setting.nginx_auth_issuers, "no path is closed: any user could become any other"
    for path in host.setting.nginx_auth_issuers:
        status = edges[hostname].ask(path, "POST", b"{}", **bearer(fleet)).status
        assert status == 403, f"{hostname}: POST {path}: {status}, planned is 403"
