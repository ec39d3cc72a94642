"""Stores behind a real HAProxy on loopback: fake servers and Sentinels, over TLS.

Only HAProxy decides which server is checked how, and which gets connections. The scenarios show that real servers
give these answers.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nexus.environment.environment import Environment, Host
from roles.certificate.plan import CA
from roles.rabbitmq.proxy import sections as rabbitmq_sections
from roles.redis.proxy import sections
from roles.redis.users import HEALTH
from tests.plan.loopback import Place
from tests.plan.store_environment import environment

needs_haproxy = pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy not installed")
HOSTS = (31, 32, 33)  # last parts of their addresses
SECONDS = 60


class Loopback:
    """Addresses and ports of three hosts of stores, and where the proxy listens."""

    def __init__(self, place: Place) -> None:
        self.server, self.cache, self.sentinel, self.view = place.ports[:4]
        self.hosts = [place.address(number) for number in HOSTS]
        self.front = place.address(1)

    def environment(self, directory: Path) -> Environment:
        """The hosts, with frequent checks."""
        ports: dict[str, Any] = {
            "redis_port": self.server,
            "redis_proxy_port": self.server,
            "sentinel_port": self.sentinel,
        }
        ports |= {"redis_cache_proxy_port": self.cache, "redis_proxy_view_port": self.view}
        env = environment(directory, data=3, redis_proxy_check_ms=300, **ports)
        stores = zip(env.group("redis"), self.hosts, strict=True)
        env.hosts = tuple(Host(one.name, address, one.groups, one.setting) for one, address in stores)
        return env


@dataclass
class Cluster:
    """The answers of the fake hosts. `roles` and `named`, by host number, are read at every question."""

    secret: str
    at: Loopback
    roles: dict[int, str] = field(default_factory=lambda: dict.fromkeys(range(3), "slave"))
    named: dict[int, int | None] = field(default_factory=lambda: dict.fromkeys(range(3)))

    def reply(self, host: int, sentinel: bool, line: str) -> bytes:
        match line.split():
            case ["AUTH", user, password]:
                return b"+OK\r\n" if (user, password) == (HEALTH, self.secret) else b"-WRONGPASS\r\n"
            case ["ROLE"] if not sentinel:
                return b"*3\r\n" + bulk(self.roles[host]) + b":0\r\n*0\r\n"
            case ["SENTINEL", "get-master-addr-by-name", "mymaster"] if sentinel:
                named = self.named[host]
                if named is None:
                    return b"*-1\r\n"
                return b"*2\r\n" + bulk(self.at.hosts[named]) + bulk(str(self.at.server))
            case ["WHO"] if not sentinel:
                return b"%d\r\n" % host
        return b"-ERR\r\n"


def bulk(text: str) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(text), text.encode())


def play(cluster: Cluster, host: int, port: int, tls: ssl.SSLContext) -> socketserver.ThreadingTCPServer:
    """A fake server or Sentinel of this host."""

    class Handler(socketserver.StreamRequestHandler):
        def setup(self) -> None:
            self.request = tls.wrap_socket(self.request, server_side=True)
            super().setup()

        def handle(self) -> None:
            for line in self.rfile:
                self.wfile.write(cluster.reply(host, port == cluster.at.sentinel, line.decode()))

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Report nothing: checks may end early."""

    server = Server((cluster.at.hosts[host], port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def configuration(env: Environment, directory: Path, front: str) -> Path:
    """HAProxy's file with all sections, as a proxy composes it."""
    authority = directory / "ca.pem"
    authority.write_text(env.tls.certificate)
    lines = ["global", "    maxconn 200", "defaults", "    mode tcp", "    timeout connect 1s"]
    lines += ["    timeout client 1m", "    timeout server 1m"]
    for name, port, text in [*sections(env), *rabbitmq_sections(env)]:
        lines += ["", f"listen {name}", f"    bind {front}:{port}", text.replace(CA, str(authority))]
    path = directory / "haproxy.cfg"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    place = Place()
    at = Loopback(place)
    env = at.environment(tmp_path)
    played = Cluster(env.secret("redis/health"), at)
    leaf = env.tls.leaf(["data", *at.hosts])
    (tmp_path / "leaf.pem").write_text(leaf.certificate + leaf.key)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "leaf.pem")
    servers = [play(played, host, port, tls) for host in range(3) for port in (at.server, at.sentinel)]
    haproxy = subprocess.Popen(["haproxy", "-f", configuration(env, tmp_path, at.front), "-q"])
    wait_for(lambda: listening(at), "HAProxy does not listen")
    wait_for(lambda: who(connect(at)) is None, "servers that nobody calls primary get connections")  # as at the start
    yield played
    haproxy.kill()
    haproxy.wait()
    for server in servers:
        server.shutdown()
        server.server_close()
    place.close()


def listening(at: Loopback) -> bool:
    """Whether the proxy accepts connections, even if it closes them at once."""
    with socket.socket() as client:
        return client.connect_ex((at.front, at.server)) == 0


def connect(at: Loopback) -> ssl.SSLSocket | None:
    """A client's connection through the proxy; None if it is closed at once."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(OSError):
        return tls.wrap_socket(socket.create_connection((at.front, at.server), timeout=10))
    return None


def who(client: ssl.SSLSocket | None) -> int | None:
    """The host at the other end; None when it has gone."""
    if client is None:
        return None
    with contextlib.suppress(OSError):
        client.sendall(b"WHO\r\n")
        return int(answer) if (answer := client.recv(100)) else None
    return None


def wait_for(what: Callable[[], bool], message: str) -> None:
    end = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < end, message
        time.sleep(0.1)


@needs_haproxy
def test_connections_go_to_the_primary_that_sentinels_name(cluster: Cluster) -> None:
    cluster.roles[0] = "master"
    cluster.named = dict.fromkeys(range(3), 0)
    wait_for(lambda: who(connect(cluster.at)) == 0, "the primary gets no connection")


@needs_haproxy
def test_the_primary_most_sentinels_name_wins(cluster: Cluster) -> None:
    old, new, third = range(3)
    cluster.roles[old] = "master"
    cluster.named = dict.fromkeys(range(3), old)
    wait_for(lambda: who(connect(cluster.at)) == old, "the primary gets no connection")
    kept = connect(cluster.at)
    assert who(kept) == old
    cluster.roles[new] = "master"  # the old primary and its own Sentinel still claim it
    cluster.named |= {new: new, third: new}
    wait_for(lambda: who(connect(cluster.at)) == new, "the new primary gets no connection")
    wait_for(lambda: who(kept) is None, "a connection to the former primary stays open")


@needs_haproxy
@pytest.mark.parametrize(
    ("roles", "named"),
    [
        ({0: "master"}, {0: 0}),  # only its own Sentinel says so
        ({}, dict.fromkeys(range(3), 0)),  # named, but a replica
    ],
)
def test_connections_need_a_primary_that_sentinels_name(
    cluster: Cluster, roles: dict[int, str], named: dict[int, int | None]
) -> None:
    cluster.roles[1] = "master"
    cluster.named = dict.fromkeys(range(3), 1)
    wait_for(lambda: who(connect(cluster.at)) == 1, "the primary gets no connection")
    cluster.roles = dict.fromkeys(range(3), "slave") | roles
    cluster.named = dict.fromkeys(range(3)) | named
    wait_for(lambda: who(connect(cluster.at)) is None, "it still gets connections")
    for _ in range(10):
        assert who(connect(cluster.at)) is None
        time.sleep(0.1)


@needs_haproxy
def test_haproxy_takes_the_sections_of_one_host_too(tmp_path: Path) -> None:
    path = configuration(environment(tmp_path), tmp_path, "127.0.0.1")
    done = subprocess.run(["haproxy", "-c", "-f", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_environment_without_the_stores_has_no_sections(tmp_path: Path) -> None:
    env = environment(tmp_path)
    env.hosts = env.hosts[:1]
    assert sections(env) == rabbitmq_sections(env) == []
