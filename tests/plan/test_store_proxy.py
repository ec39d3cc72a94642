"""Stores behind a real HAProxy on loopback: servers and Sentinels are played here, over TLS.

Who is asked what, and who gets connections, depends on HAProxy alone; that real servers give these answers
is for the scenarios to show.
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

import pytest

from roles.certificate.plan import CA
from roles.kit.environment import Environment, Host
from roles.rabbitmq.proxy import sections as rabbitmq_sections
from roles.redis.proxy import sections
from roles.redis.users import HEALTH
from tests.plan.store import environment

needs_haproxy = pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy not installed")
ADDRESSES = ("127.80.0.31", "127.80.0.32", "127.80.0.33")
PORTS = {"redis_port": 26479, "redis_proxy_port": 26479, "redis_cache_proxy_port": 26480, "sentinel_port": 26579,
         "redis_proxy_view_port": 26490}  # fmt: skip
FRONT = ("127.80.0.1", 26479)
SECONDS = 60


def on_loopback(directory: Path) -> Environment:
    """Three hosts of stores on loopback, checked often."""
    env = environment(directory, data=3, redis_proxy_check_ms=300, **PORTS)
    stores = env.group("redis")
    env.hosts = tuple(
        Host(one.name, address, one.groups, one.setting)
        for one, address in zip(stores, ADDRESSES, strict=True)
    )
    return env


@dataclass
class Cluster:
    """What the played hosts say. `roles` and `named` are read at every question."""

    secret: str
    roles: dict[str, str] = field(default_factory=lambda: dict.fromkeys(ADDRESSES, "slave"))
    named: dict[str, str | None] = field(default_factory=lambda: dict.fromkeys(ADDRESSES))

    def reply(self, address: str, sentinel: bool, line: str) -> bytes:
        match line.split():
            case ["AUTH", user, password]:
                return b"+OK\r\n" if (user, password) == (HEALTH, self.secret) else b"-WRONGPASS\r\n"
            case ["ROLE"] if not sentinel:
                return b"*3\r\n" + bulk(self.roles[address]) + b":0\r\n*0\r\n"
            case ["SENTINEL", "get-master-addr-by-name", "mymaster"] if sentinel:
                named = self.named[address]
                return b"*2\r\n" + bulk(named) + bulk("26479") if named else b"*-1\r\n"
            case ["WHO"] if not sentinel:
                return address.encode() + b"\r\n"
        return b"-ERR\r\n"


def bulk(text: str) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(text), text.encode())


def play(cluster: Cluster, address: str, port: int, tls: ssl.SSLContext) -> socketserver.ThreadingTCPServer:
    """A server or Sentinel at this address."""

    class Handler(socketserver.StreamRequestHandler):
        def setup(self) -> None:
            self.request = tls.wrap_socket(self.request, server_side=True)
            super().setup()

        def handle(self) -> None:
            for line in self.rfile:
                self.wfile.write(cluster.reply(address, port == PORTS["sentinel_port"], line.decode()))

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A check that ends early is nothing to report."""

    server = Server((address, port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def configuration(env: Environment, directory: Path) -> Path:
    """HAProxy's file with all sections, the way a proxy puts them together."""
    authority = directory / "ca.pem"
    authority.write_text(env.tls.certificate)
    lines = ["global", "    maxconn 200", "defaults", "    mode tcp", "    timeout connect 1s"]
    lines += ["    timeout client 1m", "    timeout server 1m"]
    for name, port, text in [*sections(env), *rabbitmq_sections(env)]:
        lines += ["", f"listen {name}", f"    bind {FRONT[0]}:{port}", text.replace(CA, str(authority))]
    path = directory / "haproxy.cfg"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    env = on_loopback(tmp_path)
    played = Cluster(env.secret("redis/health"))
    leaf = env.tls.leaf(["data", *ADDRESSES])
    (tmp_path / "leaf.pem").write_text(leaf.certificate + leaf.key)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "leaf.pem")
    ports = (PORTS["redis_port"], PORTS["sentinel_port"])
    servers = [play(played, address, port, tls) for address in ADDRESSES for port in ports]
    haproxy = subprocess.Popen(["haproxy", "-f", configuration(env, tmp_path), "-q"])
    wait_for(listening, "HAProxy does not listen")
    wait_for(lambda: not who(connect()), "servers that nobody calls primary get connections")  # as at its start
    yield played
    haproxy.kill()
    haproxy.wait()
    for server in servers:
        server.shutdown()
        server.server_close()


def listening() -> bool:
    """Whether the proxy takes connections, whatever becomes of them."""
    with socket.socket() as client:
        return client.connect_ex(FRONT) == 0


def connect() -> ssl.SSLSocket | None:
    """A client's connection through the proxy; None where it is closed at once."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(OSError):
        return tls.wrap_socket(socket.create_connection(FRONT, timeout=2))
    return None


def who(client: ssl.SSLSocket | None) -> str:
    """Address of the server at the other end; empty when there is none any more."""
    if client is None:
        return ""
    with contextlib.suppress(OSError):
        client.sendall(b"WHO\r\n")
        return client.recv(100).decode().strip()
    return ""


def wait_for(what: Callable[[], bool], message: str) -> None:
    end = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < end, message
        time.sleep(0.1)


@needs_haproxy
def test_connections_go_to_the_primary_that_sentinels_name(cluster: Cluster) -> None:
    first = ADDRESSES[0]
    cluster.roles[first] = "master"
    cluster.named = dict.fromkeys(ADDRESSES, first)
    wait_for(lambda: who(connect()) == first, "the primary gets no connection")


@needs_haproxy
def test_of_two_primaries_the_one_that_most_sentinels_name_and_old_connections_end(cluster: Cluster) -> None:
    old, new, third = ADDRESSES
    cluster.roles[old] = "master"
    cluster.named = dict.fromkeys(ADDRESSES, old)
    wait_for(lambda: who(connect()) == old, "the primary gets no connection")
    kept = connect()
    assert who(kept) == old
    cluster.roles[new] = "master"  # and the old one goes on saying so, with its own Sentinel
    cluster.named |= {new: new, third: new}
    wait_for(lambda: who(connect()) == new, "the new primary gets no connection")
    wait_for(lambda: who(kept) == "", "a connection to the former primary stays open")


@needs_haproxy
@pytest.mark.parametrize(
    ("roles", "named"),
    [
        ({ADDRESSES[0]: "master"}, {ADDRESSES[0]: ADDRESSES[0]}),  # only its own Sentinel says so
        ({}, dict.fromkeys(ADDRESSES, ADDRESSES[0])),  # named, but a replica
    ],
)
def test_nobody_gets_connections_without_both_words(
    cluster: Cluster, roles: dict[str, str], named: dict[str, str | None]
) -> None:
    cluster.roles[ADDRESSES[1]] = "master"
    cluster.named = dict.fromkeys(ADDRESSES, ADDRESSES[1])
    wait_for(lambda: who(connect()) == ADDRESSES[1], "the primary gets no connection")
    cluster.roles = dict.fromkeys(ADDRESSES, "slave") | roles
    cluster.named = dict.fromkeys(ADDRESSES) | named
    wait_for(lambda: who(connect()) == "", "it still gets connections")
    for _ in range(10):
        assert who(connect()) == ""
        time.sleep(0.1)


@needs_haproxy
def test_haproxy_takes_the_sections_of_one_host_too(tmp_path: Path) -> None:
    path = configuration(environment(tmp_path), tmp_path)
    done = subprocess.run(["haproxy", "-c", "-f", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_environment_without_the_stores_has_no_sections(tmp_path: Path) -> None:
    env = environment(tmp_path)
    env.hosts = env.hosts[:1]
    assert sections(env) == rabbitmq_sections(env) == []
