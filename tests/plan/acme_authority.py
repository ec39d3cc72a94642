"""A test authority on loopback: Debian's pebble and its DNS, behind a proxy with the faults that a test wants."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import http.client
import json
import os
import random
import shutil
import signal
import ssl
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from nexus.pki.ca import Authority as Signer
from tests.plan.real_edge import wait_until

SECONDS = 120  # on a busy machine
PROGRAMS = ("pebble", "pebble-challtestsrv")
HOP = ("content-length", "transfer-encoding", "connection", "date", "server")


def reason_to_skip() -> str:
    """The reason why no authority can run here; empty if it can."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    return f"{' and '.join(missing)} not installed: tests/tools.sh installs them" if missing else ""


@dataclass
class Faults:
    """What goes wrong; nothing at first."""

    busy: float = 0.0  # share of requests that are answered 503
    lost: set[str] = field(default_factory=set)  # beginnings of paths: the next answer there is lost, once
    away: bool = False
    window: tuple[dt.datetime, dt.datetime] | None = None  # of renewal information
    identities: list[str] = field(default_factory=list)  # for CAA records
    another_issuer: bool = False  # orders that replace a certificate are refused
    on_path: dict[str, Callable[[], None]] = field(default_factory=dict)  # done once, after an answer from this path
    random: random.Random = field(default_factory=lambda: random.Random(1))
    requests: list[str] = field(default_factory=list)

    def count(self, path: str) -> int:
        """How many requests to paths with this beginning were answered."""
        return sum(each.startswith(path) for each in self.requests)


class Pebble:
    """Pebble on one address. `restart` makes it forget accounts, orders and its root."""

    def __init__(self, directory: Path, signer: Signer, address: str, ports: tuple[int, ...], dns: str, http: int):
        self.directory, self.address, self.faults = directory, address, Faults()
        self.port, self.management, listen = ports[:3]
        self.validity, self.bad_nonces = 90 * 86400, 0
        self.external: dict[str, str] = {}
        self.dns, self._http = dns, http
        directory.mkdir()
        leaf = signer.leaf([address, "localhost"])
        for name, text in (("leaf.pem", leaf.certificate), ("leaf.key", leaf.key), ("ca.pem", signer.certificate)):
            (directory / name).write_text(text)
        self.process: subprocess.Popen[bytes] | None = None
        self.proxy = _Proxy((address, listen), self)

    @property
    def url(self) -> str:
        """The directory, as clients reach it."""
        return f"https://{self.address}:{self.proxy.server_address[1]}/dir"

    def start(self) -> None:
        """Start it; returns once it answers."""
        settings: dict[str, Any] = {
            "listenAddress": f"{self.address}:{self.port}",
            "managementListenAddress": f"{self.address}:{self.management}",
            "certificate": str(self.directory / "leaf.pem"),
            "privateKey": str(self.directory / "leaf.key"),
            "httpPort": self._http,
            "tlsPort": 1,
            "ocspResponderURL": "",
            "certificateValidityPeriod": self.validity,
            "externalAccountBindingRequired": bool(self.external),
            "externalAccountMACKeys": self.external,
        }
        config = self.directory / "config.json"
        config.write_text(json.dumps({"pebble": settings}))
        env = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0", "PEBBLE_WFE_NONCEREJECT": str(self.bad_nonces)}
        log = (self.directory / "log").open("ab")
        argv = ["pebble", "-config", str(config), "-dnsserver", self.dns]
        self.process = subprocess.Popen(argv, stdout=log, stderr=log, env={**os.environ, **env})
        wait_until(lambda: self.send("GET", "/dir", {}, b"")[0] == 200, "pebble", SECONDS)

    def stop(self) -> None:
        """Stop it; the proxy answers 502."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(SECONDS)
            self.process = None

    def restart(self) -> None:
        """Forget everything."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop it and the proxy."""
        self.stop()
        self.proxy.shutdown()
        self.proxy.server_close()

    @property
    def orders(self) -> int:
        """How many orders were made."""
        return self.faults.count("POST /order-plz 201")

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Its own answer."""
        context = ssl.create_default_context(cafile=str(self.directory / "ca.pem"))
        connection = http.client.HTTPSConnection(self.address, self.port, context=context, timeout=SECONDS)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


def _payload(body: bytes) -> dict[str, Any]:
    """What a signed request says."""
    said = json.loads(body)["payload"]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)) or "{}")
    return found


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, place: tuple[str, int], pebble: Pebble) -> None:
        super().__init__(place, _Handler)
        self.pebble = pebble
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pebble.directory / "leaf.pem", pebble.directory / "leaf.key")
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that hung up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Proxy

    def handle_any(self) -> None:
        pebble, faults = self.server.pebble, self.server.pebble.faults
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if faults.away:
            self.close_connection = True
            return
        if faults.random.random() < faults.busy:
            self._reply(503, {"Content-Type": "text/plain"}, b"busy")
            return
        if self.path.startswith("/ari/") and faults.window:
            start, end = (moment.isoformat() for moment in faults.window)
            window = {"suggestedWindow": {"start": start, "end": end}}
            self._reply(200, {"Content-Type": "application/json", "Retry-After": "21600"}, json.dumps(window).encode())
            return
        if faults.another_issuer and self.path == "/order-plz" and "replaces" in _payload(body):
            faults.requests.append("refused: replaces")
            refusal = {"type": "urn:ietf:params:acme:error:malformed", "detail": "no known issuer"}
            self._reply(400, {"Content-Type": "application/problem+json"}, json.dumps(refusal).encode())
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("connection",)}
        try:
            status, answered, content = pebble.send(self.command, self.path, headers, body)
        except OSError:
            self._reply(502, {"Content-Type": "text/plain"}, b"away")
            return
        faults.requests.append(f"{self.command} {self.path} {status}")
        for path in [path for path in faults.on_path if self.path.startswith(path)]:
            faults.on_path.pop(path)()
        for path in [path for path in faults.lost if self.path.startswith(path)]:
            faults.lost.discard(path)
            self.close_connection = True
            return
        self._reply(status, answered, self._directory(content) if self.path == "/dir" else content)

    do_GET = do_POST = do_HEAD = handle_any

    def _directory(self, content: bytes) -> bytes:
        found, faults = json.loads(content), self.server.pebble.faults
        if faults.window:
            found["renewalInfo"] = self.server.pebble.url.replace("/dir", "/ari")
        if faults.identities:
            found["meta"]["caaIdentities"] = faults.identities
        return json.dumps(found).encode()

    def _reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class FakeDns:
    """pebble-challtestsrv: answers for every name with one address, and with what a test adds."""

    def __init__(self, address: str, ports: tuple[int, ...], answer: str) -> None:
        self.place, self.address, self.management = f"{address}:{ports[0]}", address, ports[1]
        argv = ["pebble-challtestsrv", "-dns01", self.place, "-management", f"{address}:{ports[1]}"]
        argv += ["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv4", answer, "-defaultIPv6", ""]
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.tell("clear-a", {"host": "x"}), "pebble-challtestsrv", SECONDS)

    def tell(self, verb: str, values: dict[str, Any]) -> bool:
        """Change an answer, by a verb of its management interface."""
        connection = http.client.HTTPConnection(self.address, self.management, timeout=SECONDS)
        connection.request("POST", f"/{verb}", json.dumps(values))
        assert connection.getresponse().status == 200
        connection.close()
        return True

    def close(self) -> None:
        """Stop it."""
        self.process.kill()
        self.process.wait(SECONDS)
