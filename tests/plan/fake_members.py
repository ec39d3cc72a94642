"""Fake members of a store cluster on loopback, for the proxy: they name the primary over HTTPS, as Patroni does."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment
from roles.proxy.plan import CONFIG, plan
from tests.plan.environments import environment
from tests.plan.loopback import Place
from tests.plan.store_environment import text

IN_A_ROW = 6  # consecutive answers that prove the state of all servers


class _Secured(ThreadingHTTPServer):
    """Each handshake runs in its connection's thread: an abandoned one does not block other connections."""

    context: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(10)
        with contextlib.suppress(OSError), self.context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)


class Members:
    """Three members, each a store that sends its name on every connection, and the proxy in front of them."""

    def __init__(self, directory: Path) -> None:
        self.primary = ""
        self.place = Place()
        names = ("rest", "pooled", "direct", "primary", "replica", "past")
        self.ports = dict(zip(names, self.place.ports, strict=False))
        self.env = self._environment(directory)
        self.directory = directory
        self.stack = contextlib.ExitStack()

    def _environment(self, directory: Path) -> Environment:
        ports = self.ports
        env = environment(
            directory,
            {"app1": "app", **{f"data{number}": "etcd postgresql" for number in (1, 2, 3)}},
            gateway_network=f"{self.place.network}.0/24",
            postgresql_rest_port=ports["rest"],
            pgbouncer_port=ports["pooled"],
            postgresql_port=ports["direct"],
            postgresql_proxy_port=ports["primary"],
            postgresql_proxy_replica_port=ports["replica"],
            postgresql_proxy_direct_port=ports["past"],
            proxy_check_milliseconds=200,
        )
        env.hosts = tuple(
            type(host)(host.name, self.place.address(30 + number), host.groups, host.setting)
            for number, host in enumerate(env.hosts)
        )
        return env

    def __enter__(self) -> Members:
        for host in self.env.group("postgresql"):
            self._rest(host.name, host.address)
            for port in ("pooled", "direct"):
                self._store(host.name, host.address, self.ports[port])
        (self.directory / "ca.pem").write_text(self.env.tls.certificate)
        config = text(plan(self.env, self.env.host("app1")), CONFIG)
        config = config.replace("/etc/nexus-cos/tls/ca.pem", str(self.directory / "ca.pem"))
        config = config.replace("/run/haproxy/", f"{self.directory}/")
        config = config.replace("    user haproxy\n    group haproxy\n", "").replace(" transparent", "")
        file = self.directory / "haproxy.cfg"
        file.write_text(config)
        words = ["haproxy", "-db", "-f", str(file)]
        proxy = subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.stack.callback(proxy.wait)
        self.stack.callback(proxy.kill)
        return self

    def __exit__(self, *_: Any) -> None:
        self.stack.close()
        self.place.close()

    def answers(self, way: str, *wanted: str, seconds: float = 60) -> bool:
        """Whether this listener (a name of `ports`) leads to these members, and for a while to no other.

        Before its first check of a server HAProxy considers it up.
        """
        deadline, told = time.monotonic() + seconds, ["nobody"]
        while time.monotonic() < deadline:
            told = [self._who(way) for _ in range(IN_A_ROW)]
            if set(told) == set(wanted):
                return True
            time.sleep(0.05)
        return False

    def _who(self, way: str) -> str:
        try:
            with self.session(way) as session:
                return session.recv(20).decode()
        except OSError:
            return ""

    def session(self, way: str) -> socket.socket:
        """A connection through the proxy."""
        return socket.create_connection((self.place.address(1), self.ports[way]), timeout=5)

    def _rest(self, name: str, address: str) -> None:
        members = self

        class Handler(BaseHTTPRequestHandler):
            def do_OPTIONS(self) -> None:
                leads = members.primary == name
                right = leads if self.path == "/primary" else not leads
                self.send_response(200 if right and members.primary else 503)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        leaf = self.env.tls.leaf([name, address])
        file = self.directory / f"{name}.pem"
        file.write_text(leaf.certificate + leaf.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        server = _Secured((address, self.ports["rest"]), Handler)
        server.context = context
        self.stack.callback(server.server_close)
        self.stack.callback(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def _store(self, name: str, address: str, port: int) -> None:
        listener = socket.create_server((address, port))
        self.stack.callback(listener.close)
        held: list[socket.socket] = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    session, _ = listener.accept()
                    held.append(session)
                    with contextlib.suppress(OSError):  # a client that has gone is not served; others are
                        session.sendall(name.encode())

        threading.Thread(target=serve, daemon=True).start()
