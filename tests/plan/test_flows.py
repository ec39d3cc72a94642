"""Flows: every port that a role listens on has its clients, and hosts listen on nothing else."""

import pytest

from nexus.cli.command import NO_SECRETS
from nexus.environment.environment import Environment
from nexus.environment.inventory import load
from nexus.error import OperatorError
from nexus.run.flow import SELF, SOURCES, VRRP, matrix
from roles.redis import flows as redis
from roles.table import ROLES
from runbooks.flows import lines, page
from tests.hosts.listener import DHCP_CLIENTS, planned

ENVIRONMENTS = ("lab", "box", "lab_wide", "staging", "production")


@pytest.fixture(params=ENVIRONMENTS)
def env(request: pytest.FixtureRequest) -> Environment:
    return load(request.param, NO_SECRETS)


def test_every_environment_has_flows(env: Environment) -> None:
    found = matrix(env, ROLES)
    assert {entry.role for entry in found} >= {"base", "nginx", "postgresql", "redis", "swarm"}
    for entry in found:
        assert entry.targets
        assert entry.sources or entry.flow.source in SOURCES
        assert entry.flow.why


def test_hosts_listen_on_nothing_else(env: Environment) -> None:
    """Compared with the list by which tests/hosts judges the sockets of real hosts."""
    found = matrix(env, ROLES)
    for host in env.hosts:
        sockets = {(one.protocol, one.port) for one in planned(env, host) if one.port not in DHCP_CLIENTS}
        flows = [entry.flow for entry in found if host.name in entry.targets]
        assert sockets <= {(flow.protocol, flow.port) for flow in flows}
        clients = {(flow.protocol, flow.port) for flow in flows if flow.source != SELF}
        assert clients - {("vrrp", VRRP)} <= sockets  # a protocol without ports has no socket


def test_a_port_without_a_flow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "flows", lambda env: iter(()))
    with pytest.raises(OperatorError, match=r"role redis listens on redis_cache_port, .*its flows.py does not say who"):
        matrix(load("lab", NO_SECRETS), ROLES)


def test_the_page_has_every_port(tmp_path) -> None:
    env = load("lab", NO_SECRETS)
    html = page(env, matrix(env, ROLES))
    for entry in matrix(env, ROLES):
        assert f">{entry.flow.port}" in html
    assert "src=" not in html


def test_the_table_names_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    env = load("lab", NO_SECRETS)
    found = matrix(env, ROLES)
    monkeypatch.setattr("nexus.project._root", tmp_path)
    monkeypatch.setattr("runbooks.flows.page", lambda *_: "page")
    monkeypatch.setattr("runbooks.flows.matrix", lambda *_: found)
    *_, last = lines(env)
    assert last == f"lab: {len(found)} flows; reports/flows-lab.html"
    assert (tmp_path / "reports/flows-lab.html").read_text() == "page"
