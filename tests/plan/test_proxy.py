"""The proxy: what stores contribute, and what the real HAProxy does when the primary moves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from roles.postgresql.proxy import sections as postgresql
from roles.proxy.plan import CONFIG, notes, plan, sections
from tests.plan.environments import environment
from tests.plan.fake_members import Members
from tests.plan.store_environment import text

needs_haproxy = pytest.mark.skipif(not shutil.which("haproxy"), reason="HAProxy is not installed here")
DATA = {"app1": "app", **{f"data{number}": "etcd postgresql" for number in (1, 2, 3)}}


def configuration(env: Environment) -> str:
    return text(plan(env, env.host("app1")), CONFIG)


def section(content: str, name: str) -> list[str]:
    blocks = [block.splitlines() for block in content.split("\n\n")]
    return next([line.strip() for line in block] for block in blocks if block[0] == f"listen {name}")


def test_services_are_sent_to_the_proxy(tmp_path: Path) -> None:
    env = environment(tmp_path, DATA, postgresql_proxy_port=6000, gateway_network="10.99.0.0/24")
    assert env.store("postgresql") == ("10.99.0.1", 6000)
    assert "bind 10.99.0.1:6000 transparent" in section(configuration(env), "postgresql")


def test_each_listener_uses_the_right_port(tmp_path: Path) -> None:
    content = configuration(environment(tmp_path, DATA))
    ways = {"postgresql": ":6432", "postgresql-replicas": ":6432", "postgresql-direct": ":5432"}
    for name, port in ways.items():
        servers = [line.split() for line in section(content, name) if line.startswith("server")]
        assert len(servers) == (6 if name == "postgresql-replicas" else 3)
        assert all(server[2].endswith(port) for server in servers)
    assert "option httpchk OPTIONS /primary" in section(content, "postgresql")
    assert any(line.startswith("option httpchk OPTIONS /replica") for line in section(content, "postgresql-replicas"))


def test_every_listener_checks_its_servers(tmp_path: Path) -> None:
    for one in postgresql(environment(tmp_path, DATA)):
        servers = [line for line in one.text.splitlines() if line.startswith("server")]
        assert all(" check port 8008 check-ssl verify required " in s or " track postgresql/" in s for s in servers)
        assert all("on-marked-down shutdown-sessions" in s for s in servers if not s.endswith("backup"))


def test_direct_connections_are_shared_by_the_hosts(tmp_path: Path) -> None:
    env = environment(tmp_path, {**DATA, "app2": "app", "app3": "app"}, postgresql_direct_connections=10)
    assert all("maxconn 3" in line for line in postgresql(env)[2].text.splitlines())


def test_an_environment_without_the_store_has_no_section(tmp_path: Path) -> None:
    assert sections(environment(tmp_path, {"app1": "app"})) == []


def test_a_port_used_by_two_listeners_is_refused(tmp_path: Path) -> None:
    env = environment(tmp_path, DATA, postgresql_proxy_direct_port=5432)
    with pytest.raises(OperatorError, match="postgresql and postgresql-direct both use port 5432"):
        notes(env)


@needs_haproxy
@pytest.mark.parametrize("groups", [DATA, {"app1": "app etcd postgresql"}, {"app1": "app"}])
def test_haproxy_takes_the_configuration(tmp_path: Path, groups: dict[str, str]) -> None:
    env: Any = environment(tmp_path, groups)
    authority = tmp_path / "ca.pem"
    authority.write_text(env.tls.certificate)
    file = tmp_path / "haproxy.cfg"
    file.write_text(configuration(env).replace("/etc/nexus-cos/tls/ca.pem", str(authority)))
    done = subprocess.run(["haproxy", "-c", "-f", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@needs_haproxy
def test_connections_follow_the_primary(tmp_path: Path) -> None:
    with Members(tmp_path) as members:
        members.primary = "data1"
        assert members.answers("primary", "data1")
        assert members.answers("past", "data1")
        held = members.session("primary")
        assert held.recv(20) == b"data1"
        members.primary = "data2"
        held.settimeout(60)
        assert held.recv(20) == b"", "a connection to the old primary was kept"
        assert members.answers("primary", "data2")
        assert members.answers("past", "data2")


@needs_haproxy
def test_no_connection_goes_to_a_member_that_is_not_primary(tmp_path: Path) -> None:
    with Members(tmp_path) as members:
        members.primary = "data3"
        assert members.answers("primary", "data3")
        members.primary = ""
        assert members.answers("primary", "")


@needs_haproxy
def test_reading_goes_to_replicas(tmp_path: Path) -> None:
    with Members(tmp_path) as members:
        members.primary = "data1"
        assert members.answers("replica", "data2", "data3")
