"""The address that edge hosts share: its plan, its check, the rules that let it work, and what is refused."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from roles.base.exporters import exporters
from roles.firewall.plan import plan as firewall
from roles.keepalived.host import status as on_host
from roles.keepalived.plan import CHECK, CONFIG, plan
from roles.keepalived.status import question, rows
from roles.nginx.plan import plan as nginx
from tests.plan.environments import environment

EDGES = {"edge1": "edge", "edge2": "edge", "app1": "app", "ops1": "ops"}
SHARED: dict[str, Any] = {"keepalived_address": "10.0.0.100/24", "keepalived_interface": "eth0"}


def of(env: Environment, name: str) -> dict[str, str]:
    return {file.path: file.data.decode() for file in plan(env, env.host(name)).files}


def test_no_shared_address_is_nothing(tmp_path: Path) -> None:
    env = environment(tmp_path, EDGES)
    assert plan(env, env.host("edge1")).everything == []
    assert question(env, env.host("edge1")) == {}
    assert "ip protocol 112" not in str(firewall(env, env.host("edge1")).states[0].payload["text"])


def test_each_edge_host_knows_the_others(tmp_path: Path) -> None:
    env = environment(tmp_path, EDGES, **SHARED)
    first, second = of(env, "edge1")[CONFIG], of(env, "edge2")[CONFIG]
    assert "unicast_src_ip 10.0.0.1\n" in first
    assert re.search(r"unicast_peer \{\s+10\.0\.0\.2\s+\}", first)
    assert re.search(r"unicast_peer \{\s+10\.0\.0\.1\s+\}", second)
    priorities = [int(re.findall(r"priority (\d+)", text)[0]) for text in (first, second)]
    assert priorities[0] > priorities[1]
    assert all("10.0.0.100/24 dev eth0" in text and "state BACKUP" in text for text in (first, second))


def test_the_configuration_is_valid(tmp_path: Path) -> None:
    real = [name for _, name in socket.if_nameindex() if name != "lo"]
    if not shutil.which("keepalived") or not real:
        pytest.skip("keepalived is not installed, or there is no network")
    text = of(environment(tmp_path, EDGES, **SHARED), "edge1")[CONFIG].replace("eth0", real[0])
    config, script = tmp_path / "keepalived.conf", tmp_path / "check"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    config.write_text(text.replace(CHECK, "/bin/true").replace("keepalived_script", "root"))
    done = subprocess.run(["keepalived", "-t", "-f", str(config)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_only_edge_hosts_tell_each_other(tmp_path: Path) -> None:
    env = environment(tmp_path, EDGES, **SHARED)
    text = str(firewall(env, env.host("edge1")).states[0].payload["text"])
    assert re.search(r"ip saddr \{ 10\.0\.0\.1, 10\.0\.0\.2 \} ip protocol 112 accept", text)
    assert "vrrp" not in text.partition("chain forward")[2]
    assert "ip protocol 112" not in str(firewall(env, env.host("ops1")).states[0].payload["text"])


def test_edge_hosts_tell_their_addresses(tmp_path: Path) -> None:
    env = environment(tmp_path, EDGES, **SHARED)
    flag = "--collector.netdev.address-info"
    assert {host.name for host in env.hosts for one in exporters(env, host) if flag in one.arguments} == {
        "edge1",
        "edge2",
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"keepalived_address": "10.0.0.100"}, "must be an IPv4 address with its prefix"),
        ({"keepalived_address": "fd00::1/64"}, "must be an IPv4 address with its prefix"),
        ({"keepalived_address": "shared/24"}, 'keepalived_address is "shared/24": .*does not appear to be'),
        ({"keepalived_address": "10.0.0.3/24"}, "it is the address of app1"),
        ({"keepalived_address": "192.0.2.1/24"}, "edge1 is not in its network 192.0.2.0/24"),
        ({"provider": "aws"}, "use records of Route 53"),
        ({"keepalived_interface": ""}, "keepalived_interface is empty for edge1"),
        ({"nginx_listen_addresses": ["10.0.0.1"]}, "add 0.0.0.0 to nginx_listen_addresses"),
    ],
)
def test_what_cannot_work_is_refused(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    env = environment(tmp_path, EDGES, **{**SHARED, **settings})
    with pytest.raises(OperatorError, match=message):
        plan(env, env.host("edge1"))


@pytest.mark.parametrize(("status", "answers"), [(200, True), (503, False)])
def test_the_check_asks_nginx(tmp_path: Path, status: int, answers: bool) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    script = tmp_path / "check"
    env = environment(tmp_path, EDGES, **SHARED, nginx_status_port=server.server_address[1])
    script.write_text(of(env, "edge1")[CHECK])
    try:
        assert (subprocess.run(["bash", str(script)], check=False, timeout=20).returncode == 0) == answers
    finally:
        server.shutdown()
        server.server_close()
    assert subprocess.run(["bash", str(script)], check=False, timeout=20, capture_output=True).returncode != 0


def test_status_names_the_holder(tmp_path: Path) -> None:
    env = environment(tmp_path, EDGES, **SHARED)

    def told(one: bool, other: bool) -> tuple[str, str]:
        answers = {"edge1": {"edge_address": {"held": one}}, "edge2": {"edge_address": {"held": other}}}
        (row,) = rows(env, answers, 0)
        return row.value, row.advice

    assert told(one=True, other=False) == ("edge1", "")
    assert told(one=False, other=False)[1].startswith("no host has it")
    assert told(one=True, other=True)[0] == "edge1 and edge2"
    assert told(one=True, other=True)[1].startswith("they do not reach each other")


def test_a_host_knows_whether_it_has_the_address() -> None:
    if not shutil.which("ip"):
        pytest.skip("ip is not installed")
    assert on_host.edge_address({"address": "127.0.0.1"}) == {"held": True}
    assert on_host.edge_address({"address": "192.0.2.99"}) == {"held": False}


def test_edges_share_the_keys_of_session_tickets(tmp_path: Path) -> None:
    env = environment(tmp_path, EDGES)

    def files(name: str) -> dict[str, bytes]:
        return {file.path: file.data for file in nginx(env, env.host(name)).files if file.path.endswith(".key")}

    (key,) = files("edge1").values()
    assert len(key) == 80
    assert files("edge1") == files("edge2")
    alone = environment(tmp_path / "alone", {"edge1": "edge"})
    assert not [file for file in nginx(alone, alone.hosts[0]).files if file.path.endswith(".key")]
