"""Hosts behind jump hosts, with real SSH servers on loopback: runs get through, and errors on the way are named."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nexus.transport import keepalive
from nexus.transport.jump import jump_command, parts
from nexus.transport.keepalive import keepalive_transport
from nexus.transport.ssh_config import Target
from tests.plan.bastion import Bastion, configuration
from tests.plan.project_copy import Hosts, Project, refused

pytestmark = pytest.mark.skipif(not shutil.which("ssh"), reason="OpenSSH's client is not installed")


@pytest.fixture
def bastions(hosts: Hosts) -> Iterator[list[Bastion]]:
    found = [Bastion(hosts.user_key), Bastion(hosts.user_key)]
    yield found
    for each in found:
        each.close()


def behind(project: Project, bastions: list[Bastion], text: str) -> Path:
    """Reach all hosts as `text` configures for 127.0.0.1; jump1 and jump2 are the jump hosts."""
    lines, keys = [text], []
    for number, each in enumerate(bastions, 1):
        lines += [f"Host jump{number}", "  HostName 127.0.0.1", f"  Port {each.port}", f"  HostKeyAlias jump{number}"]
        keys.append(f"jump{number} {each.key.get_name()} {each.key.get_base64()}\n")
    known = project.root / ".lab/known_hosts_of_jumps"
    known.write_text("".join(keys))
    file = project.root / "ssh/config"
    configuration(file, key=project.root / ".lab/id_ecdsa", known=known, text="\n".join(lines))
    for name in ("edge1", "app1", "app2", "app3", "data1", "data2", "data3", "ops1"):
        project.host(name)["ssh_config_file"] = str(file)
    project.write_inventory()
    return file


def test_a_chain_of_jump_hosts(project: Project, bastions: list[Bastion]) -> None:
    behind(project, bastions, "Host 127.0.0.1\n  ProxyJump ops@jump1,jump2")
    outcome = project.deploy()
    assert outcome.text.count("Connected") == project.hosts.connections == 8
    first, second = bastions
    assert set(first.asked) == {("127.0.0.1", second.port)}
    assert set(second.asked) == {("127.0.0.1", project.hosts.port)}
    assert set(first.users) == {"ops"}
    assert "Traceback" not in outcome.text


def test_a_proxy_command_with_tokens(project: Project, bastions: list[Bastion]) -> None:
    file = project.root / "ssh/config"
    behind(project, bastions, f'Host 127.0.0.1\n  ProxyCommand ssh -F "{file}" -l %r-%n -W %h:%p jump1')
    outcome = project.deploy("--limit", "app1")
    assert outcome.text.count("Connected") == project.hosts.connections, outcome.text
    assert set(bastions[0].users) == {"deploy-127.0.0.1"}
    assert set(bastions[0].asked) == {("127.0.0.1", project.hosts.port)}


def test_a_missing_jump_host(project: Project, bastions: list[Bastion]) -> None:
    behind(project, bastions, "Host 127.0.0.1\n  ProxyJump jump1")
    bastions[0].close()
    refused(project, project.deploy(), "[app1]", "no connection through jump1: ", "Connection refused", asked=True)


def test_a_jump_host_whose_key_is_not_known(project: Project, bastions: list[Bastion]) -> None:
    behind(project, bastions, "Host 127.0.0.1\n  ProxyJump jump1")
    (project.root / ".lab/known_hosts_of_jumps").write_text("")
    refused(project, project.deploy(), "through jump1: ", "Host key verification failed", asked=True)
    assert (project.root / ".lab/known_hosts_of_jumps").read_text() == ""


def test_a_host_that_its_jump_host_cannot_reach(project: Project, bastions: list[Bastion], dead_port: int) -> None:
    behind(project, bastions, "Host 127.0.0.1\n  ProxyJump jump1")
    project.host("app2")["ssh_port"] = dead_port
    project.write_inventory()
    outcome = project.deploy()
    refused(project, outcome, "no connection to app2", "through jump1: channel 0: open failed", asked=True)


def test_a_host_that_falls_silent_behind_another(monkeypatch: pytest.MonkeyPatch, hosts: Hosts) -> None:
    """The pair of sockets stays open, but no more data comes back through it."""
    monkeypatch.setattr(keepalive, "ASK_SECONDS", 0.1)
    monkeypatch.setattr(keepalive, "ANSWER_SECONDS", 1.0)
    near, far = socket.socketpair()
    silent = threading.Event()
    server = socket.create_connection(("127.0.0.1", hosts.port))

    def carry(read: socket.socket, write: socket.socket) -> None:
        while (data := read.recv(65536)) and not silent.is_set():
            write.sendall(data)

    for pair in ((far, server), (server, far)):
        threading.Thread(target=carry, args=pair, daemon=True).start()
    transport = keepalive_transport(near)
    transport.start_client(timeout=10)
    transport.auth_publickey("deploy", hosts.user_key)
    time.sleep(2.5)
    assert transport.is_active()  # it answers
    silent.set()
    began = time.monotonic()
    transport.join(10)
    assert not transport.is_active()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("hop", "found"),
    {
        "bastion": ("", "bastion", ""),
        "ops@bastion:2222": ("ops", "bastion", "2222"),
        "a@b@bastion": ("a@b", "bastion", ""),
        "[2001:db8::1]:22": ("", "2001:db8::1", "22"),
        "2001:db8::1": ("", "2001:db8::1", ""),
        "ssh://ops@bastion:22/": ("ops", "bastion", "22"),
    }.items(),
)
def test_the_parts_of_a_jump_host(hop: str, found: tuple[str, str, str]) -> None:
    assert parts(hop) == found


def test_the_command_of_a_jump() -> None:
    target = Target("2001:db8::9", 2200, "deploy", jumps=("a", "ops@b:22"), options=("-F", "x"))
    words = jump_command(target, 15)
    assert words[:4] == ["ssh", "-T", "-F", "x"]
    assert words[-10:] == ["-J", "a", "-l", "ops", "-p", "22", "-W", "[2001:db8::9]:2200", "--", "b"]
