"""A real edge on loopback: Nginx and the router with rendered configurations, and fake services and DNS.

Fake services answer with the request that they received, so that a test can tell which service got it, and how.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.environment.settings import Settings, defaults
from nexus.secrets.store import Secrets
from roles.certificate.host.public import CURRENT
from roles.certificate.host.public import DIRECTORY as ACME
from roles.frontend.plan import plan as front_end_plan
from roles.nginx.plan import DIRECTORY, plan
from roles.router.host.state import SAVE
from roles.router.plan import configuration as router_configuration
from tests.plan.loopback import Place

ADDRESS = "127.77.0.1"  # of the edge
UNLIMITED = "127.77.0.2"  # a client whose limits are lifted
LIMITED = "127.78.0."  # clients with limits: each test takes its own address
DOMAIN = "nexuscos.example.com"
TRIES = 12  # time for signals, five seconds each
SECONDS = 60  # time for something that takes one second, on a busy machine
CHECK_MS = 30_000  # a busy machine answers late; no test is about tasks that do not answer checks


def environment(directory: Path, **settings: Any) -> Environment:
    """An environment of one edge host with these settings over the defaults."""
    setting = Settings({**defaults(), **settings})
    host = Host("edge1", ADDRESS, frozenset({"all", "edge"}), setting)
    secrets = Secrets(directory / "secrets.age", directory / "age.key", generate=True)
    return Environment("test", (host,), setting, secrets)


def reason_to_skip() -> str:
    """The reason why no real edge can run here; empty if it can."""
    missing = [name for name in ("nginx", "haproxy") if not shutil.which(name)]
    if missing:
        return f"{' and '.join(missing)} not installed"
    return "" if os.geteuid() == 0 else "needs root, as the distribution's nginx writes to /var/lib/nginx"


def wait_until(what: Callable[[], Any], message: str, seconds: float = SECONDS) -> Any:
    """The first true answer of `what`; an error of the connection counts as no answer yet."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if answer := what():
                return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds:g} s: {message}")


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which must be JSON."""
        assert self.headers["Content-Type"].startswith("application/json"), self
        return json.loads(self.body)

    @property
    def all(self) -> list[tuple[str, str]]:
        """Headers as received, names in lower case."""
        return [(name.lower(), value) for name, value in self.headers.items()]


class Secure(http.client.HTTPSConnection):
    """HTTPS to an address, with another server name."""

    def __init__(self, name: str, port: int, context: ssl.SSLContext, source: str) -> None:
        super().__init__(name, port, context=context, timeout=SECONDS)
        self.tls, self.source = context, source

    def connect(self) -> None:
        raw = socket.create_connection((ADDRESS, self.port), SECONDS, (self.source, 0))
        self.sock = self.tls.wrap_socket(raw, server_hostname=self.host)


@dataclass
class Played:
    """Fake services and their DNS, in one thread, on the services' ports in a separate network."""

    ports: dict[int, str]
    network: str
    tasks: dict[str, list[str]] = field(default_factory=dict)  # addresses by service; by default the first
    seen: list[dict[str, Any]] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    dns_port: int = 0
    listeners: list[asyncio.Server | asyncio.DatagramTransport] = field(default_factory=list)
    good: set[str] = field(default_factory=set)  # tokens that the service which checks them finds good
    users: dict[str, str] = field(default_factory=dict)  # passwords by e-mail, of logins that give a good token
    login_fault: int = 0  # the status that it answers with instead
    held: int = 0  # requests that wait for `let_go`
    let_go: bool = False
    kept: set[str] = field(default_factory=set)  # services that keep connections open; others close each
    hasty: set[str] = field(default_factory=set)  # services that close a kept connection at its next request
    accepted: int = 0  # connections so far

    @property
    def addresses(self) -> tuple[str, str]:
        """Two hosts with a task of every service on each."""
        return f"{self.network}.1", f"{self.network}.2"

    def start(self) -> None:
        """Listen; returns once every port listens."""
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result(SECONDS)

    def stop(self) -> None:
        """Stop answering; the ports are free afterwards."""
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result(SECONDS)
        self.loop.call_soon_threadsafe(self.loop.stop)

    async def _close(self) -> None:
        for listener in self.listeners:
            listener.close()
        answering = asyncio.all_tasks() - {asyncio.current_task()}
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)

    async def _listen(self) -> None:
        transport, _ = await self.loop.create_datagram_endpoint(lambda: _Dns(self), (self.addresses[0], 0))
        self.dns_port = transport.get_extra_info("sockname")[1]
        self.listeners.append(transport)
        for address in self.addresses:
            for port in self.ports:
                self.listeners.append(await asyncio.start_server(self._serve, address, port, reuse_address=True))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        connection, turn = self.accepted, 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await self._answer(reader, writer, connection, turn):
                turn += 1
        writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int, turn: int
    ) -> bool:
        """Answer the request of this turn on a connection; whether it is kept for another one."""
        address, port = writer.get_extra_info("sockname")[:2]
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split()
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        fact = {"service": self.ports[port], "address": address, "method": method, "path": path, "headers": headers}
        fact |= {"length": len(body), "connection": connection, "turn": turn}
        if not path.startswith("/health"):
            self.seen.append(fact)
        fault = headers.get("x-fault", "")
        if fault in ("drop", f"drop {address}") or (turn > 1 and self.ports[port] in self.hasty):
            return False
        if fault == "slow":
            await asyncio.sleep(3)
        if fault == "hold":
            self.held += 1
            while not self.let_go:
                await asyncio.sleep(0.02)
        if headers.get("upgrade") == "websocket":
            await _websocket(headers["sec-websocket-key"], reader, writer)
            return False
        status, said = "200 OK", fact
        if "x-nexus-login" in headers:
            status = self._login(body)
        elif self.users and path.endswith("/auth/login"):
            status, said = self._token(json.loads(body))
        text = json.dumps(said).encode()
        keeps = self.ports[port] in self.kept and headers.get("connection") != "close"
        top = (
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n"
            "X-Powered-By: Express\r\nAccess-Control-Allow-Origin: *\r\n"
            f"Connection: {'keep-alive' if keeps else 'close'}\r\n\r\n"
        )
        writer.write(top.encode() + (b"" if method == "HEAD" else text))
        await writer.drain()
        return keeps

    def _login(self, body: bytes) -> str:
        if self.login_fault:
            return f"{self.login_fault} Fault"
        return "200 OK" if json.loads(body)["token"] in self.good else "401 Unauthorized"

    def _token(self, given: dict[str, str]) -> tuple[str, dict[str, Any]]:
        if self.users.get(given["email"]) != given["password"]:
            return "401 Unauthorized", {"success": False, "error": {"message": "E-mail or password is wrong."}}
        return "200 OK", {"success": True, "data": {"token": min(self.good)}}


async def _websocket(key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    accept = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest())
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    writer.write(b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()


class _Dns(asyncio.DatagramProtocol):
    """The part of Docker's DNS that the router uses: A records of tasks.NAME."""

    def __init__(self, played: Played) -> None:
        self.played = played

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, source: Any) -> None:
        labels, at = [], 12
        while length := data[at]:
            labels.append(data[at + 1 : at + 1 + length].decode())
            at += length + 1
        question = data[12 : at + 5]
        asked_for_a = struct.unpack("!H", data[at + 1 : at + 3])[0] == 1
        addresses = []
        if asked_for_a and labels[0] == "tasks":
            addresses = self.played.tasks.get(labels[1], [self.played.addresses[0]])
        flags = 0x8180 if addresses else 0x8183
        answer = data[:2] + struct.pack("!HHHHH", flags, 1, len(addresses), 0, 0) + question
        for address in addresses:
            answer += struct.pack("!HHHLH", 0xC00C, 1, 1, 600, 4) + socket.inet_aton(address)
        self.transport.sendto(answer, source)


class Edge:
    """Nginx and router, running."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.directory = directory
        self.place = Place()
        self.https, self.http, self.router, self.metrics, status, peer, self.admin = self.place.ports[:7]
        catalogue = environment(directory).catalogue
        ports = {service.port: service.name for service in catalogue.services.values()}
        self.played = Played(ports, self.place.network)
        self.played.start()
        self.settings: dict[str, Any] = {
            "nginx_https_port": self.https,
            "nginx_http_port": self.http,
            "nginx_status_port": status,
            "nginx_listen_addresses": [ADDRESS],
            "nginx_pid_file": str(directory / "nginx.pid"),
            "nginx_log_directory": str(directory),
            "nginx_user": "root",  # which may read below a test's directory
            "frontend_directory": str(directory / "front_ends"),
            "frontend_build_directory": str(directory / "builds"),
            "nginx_certificate": str(directory / "leaf.pem"),
            "nginx_certificate_key": str(directory / "leaf.key"),
            "nginx_http2_directive": _nginx_version() >= (1, 25, 1),
            "router_port": self.router,
            "router_metrics_port": self.metrics,
            "router_peer_port": peer,
            "router_admin_port": self.admin,
            "router_state_file": str(directory / "haproxy.state"),
            "router_resolver": f"{self.played.addresses[0]}:{self.played.dns_port}",
            "router_check_interval_ms": 500,
            "router_connections": 500,
            "router_user": "haproxy",
            "nginx_tuning": {"worker_processes": 2, "worker_rlimit_nofile": 4096, "worker_connections": 1024},
            "edge_unlimited_networks": [f"{UNLIMITED}/32"],
            **settings,
        }
        self.env = environment(directory, **self.settings)
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Write the configurations and start both; returns once every service is reachable."""
        leaf = self.env.tls.leaf([DOMAIN, f"api.{DOMAIN}", f"*.{DOMAIN}", ADDRESS])
        (self.directory / "leaf.pem").write_text(leaf.certificate)
        (self.directory / "leaf.key").write_text(leaf.key)
        self._write_nginx()
        self.write_router()
        config = str(self.directory / "nginx" / "nginx.conf")
        self._check("nginx", "-t", "-q", "-c", config)
        self._check("haproxy", "-c", "-q", "-f", str(self.directory / "haproxy.cfg"))
        self._run("haproxy", "-W", "-db", "-f", str(self.directory / "haproxy.cfg"))
        self._run("nginx", "-c", config, "-g", "daemon off;")
        wait_until(lambda: all(self.ask_router(name).status == 200 for name in self.env.catalogue.services), "router")
        wait_until(lambda: self.get("/health").status == 200, "nginx")

    def _write_nginx(self) -> None:
        current = self.directory / "current"  # of role acme, if that is on
        current.mkdir(exist_ok=True)
        for name, source in (("certificate.pem", "leaf.pem"), ("key.pem", "leaf.key")):
            shutil.copy(self.directory / source, current / name)
        for file in plan(self.env, self.env.hosts[0]).files:
            if file.path.startswith(ACME):
                (current / Path(file.path).name).write_bytes(file.data)
                continue
            path = self.directory / "nginx" / Path(file.path).relative_to(DIRECTORY)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data.replace(CURRENT.encode(), str(current).encode()))
        shutil.copy("/etc/nginx/mime.types", self.directory / "nginx")
        for file in front_end_plan(self.env, self.env.hosts[0]).files:
            Path(file.path).parent.mkdir(parents=True, exist_ok=True)
            Path(file.path).write_bytes(file.data)

    def write_router(self, kept: dict[str, Any] | None = None, **settings: Any) -> str:
        """Write the router's configuration with these changed settings and kept values; its hash."""
        env = environment(self.directory, **{**self.settings, **settings})
        config, stamp = router_configuration(env.with_facts(env.hosts, {}, kept))
        planned = f"timeout check {env.catalogue.gateway.timeouts_ms.health_check}ms"
        assert planned in config
        patient = config.replace(planned, f"timeout check {CHECK_MS}ms")
        (self.directory / "haproxy.cfg").write_text(patient)
        return stamp

    def reload_router(self) -> None:
        """As on a host: save the state of the tasks, then send a signal to the master.

        The master restarts itself once its workers started, and loses a signal at that moment, so it is sent again.
        """
        known = {"admin_port": self.settings["router_admin_port"], "state_file": self.settings["router_state_file"]}
        subprocess.run(["bash", "-c", SAVE.format(**known)], check=True, timeout=SECONDS)
        log, begun = self.directory / "haproxy.log", "Reloading HAProxy"
        before, tries = log.read_text().count(begun), 0
        while log.read_text().count(begun) == before:
            assert tries < TRIES, f"HAProxy's master does not reload: {log.read_text()[-2000:]}"
            tries += 1
            self.processes[0].send_signal(signal.SIGUSR2)
            with contextlib.suppress(AssertionError):
                wait_until(lambda: log.read_text().count(begun) > before, "a reload", SECONDS / TRIES)

    def _check(self, *argv: str) -> None:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "[warn]" not in done.stderr, done.stderr
        assert "WARNING" not in done.stderr, done.stderr

    def _run(self, *argv: str) -> None:
        log = (self.directory / f"{argv[0]}.log").open("wb")
        self.processes.append(subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True))

    def stop(self) -> None:
        """Stop everything that was started."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(SECONDS)
        self.played.stop()
        self.place.close()

    def tls(self) -> ssl.SSLContext:
        """A TLS context that trusts only the environment's CA."""
        return ssl.create_default_context(cadata=self.env.tls.certificate)

    def get(self, path: str, **options: Any) -> Answer:
        """GET over HTTPS."""
        return self.ask("GET", path, **options)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        host: str = DOMAIN,
        source: str = UNLIMITED,
    ) -> Answer:
        """A request over HTTPS on its own connection."""
        connection = Secure(host, self.https, self.tls(), source)
        return _ask(connection, method, path, body, {"Host": host, **(headers or {})})

    def tell_router(self, command: str) -> str:
        """The answer of the router's worker to a HAProxy command."""
        with socket.create_connection(("127.0.0.1", self.admin), SECONDS) as session:
            session.sendall(f"{command}\n".encode())
            return session.makefile().read()

    def ask_router(
        self,
        service: str | None,
        method: str = "GET",
        path: str = "/x",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """A request to the router itself."""
        named = {} if service is None else {"X-Nexus-Service": service}
        connection = http.client.HTTPConnection(ADDRESS, self.router, timeout=SECONDS)
        return _ask(connection, method, path, body, {**named, **(headers or {})})


def _ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> Answer:
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def _nginx_version() -> tuple[int, ...]:
    text = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    match = re.search(r"nginx/([0-9.]+)", text)
    assert match, text
    return tuple(int(part) for part in match[1].split("."))


@contextlib.contextmanager
def running(directory: Path, **settings: Any) -> Iterator[Edge]:
    """A running edge, which is always stopped."""
    edge = Edge(directory, **settings)
    try:
        edge.start()
        yield edge
    finally:
        edge.stop()
