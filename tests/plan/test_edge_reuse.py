"""Kept connections between Nginx, the router and tasks: which requests use one, and what a task that closes it causes.

A task may close a kept connection while a request is on its way. A request that may be repeated is repeated; no other
may be on such a connection.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from roles.functional.plan import token
from roles.router.plan import stack
from tests.plan.edge_fixture import needs_edge
from tests.plan.real_edge import UNLIMITED, Edge, running

GOOD = token("key", "u-17", time.time())
LOGIN = {"Authorization": f"Bearer {GOOD}"}
PATH, SERVICE = "/api/products", "puabo-nuki-product-catalog"  # a route that takes all methods
CHECK = "token-mgr"
THREADS = 4  # of Nginx and of the router: each may have a kept connection of its own


@pytest.fixture(scope="module", name="whole")
def whole_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An edge with login before services that keep connections."""
    with running(tmp_path_factory.mktemp("reuse"), nginx_auth_request=True, router_threads=2) as edge:
        edge.played.kept = set(edge.played.ports.values())
        edge.played.good = {GOOD}
        yield edge


@pytest.fixture(name="edge")
def edge_(whole: Edge) -> Iterator[Edge]:
    yield whole
    whole.played.hasty.clear()


def ask(edge: Edge, path: str, method: str = "GET") -> int:
    """The status of a request with a good token."""
    body = None if method in ("GET", "HEAD") else b"{}"
    return edge.ask(method, PATH + path, body=body, headers=LOGIN, source=UNLIMITED).status


def seen(edge: Edge, path: str) -> list[dict[str, Any]]:
    """What the service saw of requests with this path."""
    return [fact for fact in edge.played.seen if fact["path"].endswith(path)]


def keep_some(edge: Edge) -> None:
    """Leave kept connections to the service: fewer than the router tries a request."""
    assert {ask(edge, "/kept") for _ in range(4)} == {200}


@needs_edge
def test_reads_share_connections(edge: Edge) -> None:
    assert {ask(edge, "/shared") for _ in range(20)} == {200}
    connections = [fact["connection"] for fact in seen(edge, "/shared")]
    assert len(connections) == 20
    assert len(set(connections)) <= THREADS, connections


@needs_edge
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_is_not_repeated_has_a_new_connection(edge: Edge, method: str) -> None:
    keep_some(edge)
    assert {ask(edge, f"/new/{method}", method) for _ in range(5)} == {200}
    assert [fact["turn"] for fact in seen(edge, f"/new/{method}")] == [1] * 5


@needs_edge
def test_a_closed_connection_costs_no_read(edge: Edge) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        keep_some(edge)
        edge.played.hasty = {SERVICE}
        assert [ask(edge, "/closed", method) for _ in range(5)] == [200] * 5, method
        edge.played.hasty = set()
    assert max(fact["turn"] for fact in seen(edge, "/closed")) > 1, "no kept connection was tried"


@needs_edge
def test_a_closed_connection_costs_no_check_of_a_token(edge: Edge) -> None:
    keep_some(edge)
    edge.played.hasty = {CHECK}
    assert [ask(edge, "/check", "POST") for _ in range(5)] == [200] * 5


@needs_edge
def test_every_write_arrives_once_while_connections_are_closed(edge: Edge) -> None:
    edge.played.hasty = {SERVICE}
    asked = [(f"/once/{number}/", "POST" if number % 2 else "GET") for number in range(20)]
    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(lambda one: ask(edge, *one), asked)) == {200}
    writes = [path for path, method in asked if method == "POST"]
    assert [len(seen(edge, path)) for path in writes] == [1] * len(writes)


def test_a_dead_connection_is_found_before_a_request_is_over(edge: Edge) -> None:
    tries = int(stack(edge.env)["sysctls"]["net.ipv4.tcp_retries2"])
    seconds = 0.2 * (2 ** (tries + 1) - 1)  # the kernel waits 0.2 s at least, and doubles it
    assert seconds < min(edge.env.catalogue.timeout_ms(name) for name in edge.env.catalogue.services) / 1000
