"""Nginx where role acme is on: challenges, the certificate, and the header that binds browsers to a public one."""

from __future__ import annotations

import http.client
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from roles.acme import account
from roles.acme.host.places import PUBLIC
from roles.certificate.host.public import CERTIFICATE, CURRENT
from roles.nginx.plan import plan as nginx_plan
from tests.plan import real_edge
from tests.plan.edge_request import ADDRESS
from tests.plan.environments import environment

URL = "https://authority.example/directory"


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[real_edge.Edge]:
    """A real Nginx of an edge host where the role is on."""
    if reason := real_edge.reason_to_skip():
        pytest.skip(reason)
    directory = tmp_path_factory.mktemp("acme-edge")
    with real_edge.running(directory, acme_directories=[URL]) as found:
        yield found


def test_nginx_answers_every_challenge(edge: real_edge.Edge) -> None:
    token = "AbC-_0123456789abcdefghij"
    for path, status in ((token, 200), ("short", 301), (f"{token}/x", 301), (f"{token}.x", 301)):
        connection = http.client.HTTPConnection(ADDRESS, edge.http, timeout=10)
        connection.request("GET", f"/.well-known/acme-challenge/{path}", headers={"Host": "any.example"})
        answer = connection.getresponse()
        body = answer.read().decode()
        assert answer.status == status, path
        if status == 200:
            assert body == f"{token}.{account.thumbprint(edge.env)}"
            assert answer.headers["Content-Type"] == "text/plain"
        connection.close()


def test_hsts_comes_with_a_public_certificate(edge: real_edge.Edge) -> None:
    assert edge.get("/health").headers["Strict-Transport-Security"] is None
    (edge.directory / "current" / PUBLIC).write_text("default 1;\n")
    edge.processes[-1].send_signal(signal.SIGHUP)
    header = real_edge.wait_until(lambda: edge.get("/health").headers["Strict-Transport-Security"], "HSTS")
    assert header.startswith("max-age=31536000")


def test_nginx_reads_the_certificate_through_the_link(tmp_path: Path) -> None:
    env = environment(tmp_path, {"edge1": "edge"}, acme_directories=[URL])
    found = nginx_plan(env, env.host("edge1"))
    [unit] = found.units
    assert CERTIFICATE in unit.reload_on
    assert CERTIFICATE.startswith(CURRENT)
    assert [one.before_units for one in found.states if one.name == "first certificate"] == [True]
