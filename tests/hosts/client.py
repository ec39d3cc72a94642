"""Asks an edge host from outside: from where the checks run, or through another host where it is not reached."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hosts.fleet import Fleet
from nexus.environment.environment import Host
from roles.certificate.plan import shows_own

SECONDS = 20
TRIES = 5
LONGEST_WAIT_SECONDS = 3  # a limit for seconds is waited for, one for minutes is not


@dataclass(frozen=True)
class Answer:
    """How a request was answered."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body as data; None where it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.status} {self.text[:300].strip()}"


class Edge:
    """A client of one edge host with one connection that is kept."""

    def __init__(self, fleet: Fleet, host: Host) -> None:
        self.fleet, self.host = fleet, host
        self.domain = f"api.{fleet.env.setting.domain}"
        self.port = int(host.setting.nginx_https_port)
        self._kept: http.client.HTTPConnection | None = None

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """The answer over HTTPS under the API's name; the limit of requests a second is waited for."""
        for _ in range(TRIES):
            answer = self._once(path, method, body, headers)
            wait = answer.headers.get("retry-after", "")
            if answer.status != 429 or not wait.isdigit() or int(wait) > LONGEST_WAIT_SECONDS:
                return answer
            time.sleep(int(wait))
        return answer

    def plain(self, path: str) -> Answer:
        """The answer over HTTP without TLS."""
        connection = http.client.HTTPConnection(self.domain, timeout=SECONDS)
        connection.sock = self.reach(int(self.host.setting.nginx_http_port))
        return _talk(connection, path, "GET", None, {})

    def handshake(self, version: ssl.TLSVersion) -> str:
        """The version that a client which offers only this one ends up with, or why it got none."""
        context = self.tls()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else it would be the client that refuses the old ones
        context.minimum_version = context.maximum_version = version
        try:
            with context.wrap_socket(self.reach(self.port), server_hostname=self.domain) as sock:
                return str(sock.version())
        except ssl.SSLError as error:
            return f"refused: {error.reason}"

    @cached_property
    def certificate(self) -> dict[str, Any]:
        """The certificate under the API's name, verified, as ssl.getpeercert gives it."""
        with self.tls().wrap_socket(self.reach(self.port), server_hostname=self.domain) as sock:
            return dict(sock.getpeercert() or {})

    def tls(self) -> ssl.SSLContext:
        """Trusts the environment's own CA where the edge has its certificate from it, else what the machine does."""
        own = shows_own(self.host)
        return ssl.create_default_context(cadata=self.fleet.env.tls.certificate if own else None)

    def reach(self, port: int) -> Any:
        """An open connection to a port of the edge host."""
        if self.fleet.reached[self.host.name]:
            sock = socket.create_connection((self.address, port), timeout=SECONDS)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a body is sent after its headers
            return sock
        channel = self.fleet.connections[self.through].tunnel(self.host.address, port)
        near, far = socket.socketpair()
        _pump(channel, far)
        near.settimeout(SECONDS)
        return near

    @property
    def address(self) -> str:
        """Address of the edge host as seen from here."""
        return self.fleet.connections[self.host.name].address

    @cached_property
    def through(self) -> str:
        """The host whose connection is used where the edge is not reached from here."""
        others = [host.name for host in self.fleet.env.hosts if host.name not in self.fleet.problems]
        return next((name for name in others if name != self.host.name), self.host.name)

    def close(self) -> None:
        """Close the connection that is kept."""
        if self._kept:
            self._kept.close()

    def _once(self, path: str, method: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        for fresh in (False, True):
            if not self._kept or fresh:
                self._kept = http.client.HTTPSConnection(self.domain, self.port, timeout=SECONDS)
                self._kept.sock = self.tls().wrap_socket(self.reach(self.port), server_hostname=self.domain)
            try:
                return _talk(self._kept, path, method, body, headers)
            except (OSError, http.client.HTTPException):
                if fresh:
                    raise
        raise AssertionError("not reached")


def _talk(
    connection: http.client.HTTPConnection, path: str, method: str, body: bytes | None, headers: dict[str, str]
) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, sent)
    response = connection.getresponse()
    text = response.read().decode(errors="replace")
    answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, text)
    if response.will_close:
        connection.close()
    return answer


def _pump(channel: Any, sock: socket.socket) -> None:
    """Carry bytes between a channel and a socket until one of them ends: TLS wants a real socket."""

    def carry(read: Any, write: Any) -> None:
        try:
            while data := read(65536):
                write(data)
        except OSError:
            pass
        finally:
            channel.close()
            sock.close()

    threading.Thread(target=carry, args=(channel.recv, sock.sendall), daemon=True).start()
    threading.Thread(target=carry, args=(sock.recv, channel.sendall), daemon=True).start()
