"""Limits of the edge: sizes of bodies, rates and connections of an address, and long windows."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.plan.edge_fixture import a_client, edge_, needs_edge  # noqa: F401 - edge_ is a fixture
from tests.plan.edge_request import Answer, Secure
from tests.plan.real_edge import DOMAIN, UNLIMITED, Edge, wait_until

ATTEMPTS = 8


@needs_edge
@pytest.mark.parametrize(
    ("path", "megabytes", "status"),
    [("/api/orders/", 10, 200), ("/api/orders/", 11, 413), ("/api/dsp/upload", 50, 200), ("/api/dsp/upload", 51, 413)],
)
def test_body_limits(edge: Edge, path: str, megabytes: int, status: int) -> None:
    answer = edge.ask("POST", path, body=bytes(megabytes * 2**20), headers={"Expect": ""})
    assert answer.status == status
    assert status == 200 or answer.json["error"]["code"] == "PAYLOAD_TOO_LARGE"


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
