"""One client of one edge host: requests over TLS under the API's name, each on its own connection."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from control import Control

SECONDS = 20


@dataclass(frozen=True)
class Answer:
    """How a request was answered."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The body as data."""
        return json.loads(self.text)


@dataclass(frozen=True)
class EdgeClient:
    """Asks the edge host at `address`."""

    control: Control
    address: str
    seconds: float = SECONDS

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Trusts the environment's CA."""
        return ssl.create_default_context(cadata=self.control.planned.tls.certificate)

    @cached_property
    def name(self) -> str:
        """The API's name."""
        return f"api.{self.control.planned.setting.domain}"

    @cached_property
    def port(self) -> int:
        """The port for clients."""
        return int(self.control.planned.setting.nginx_https_port)

    def connect(self) -> http.client.HTTPSConnection:
        """A new connection, verified under the API's name."""
        connection = http.client.HTTPSConnection(self.name, self.port, context=self.tls, timeout=self.seconds)
        connection.sock = self.tls.wrap_socket(self.raw(), server_hostname=self.name)
        return connection

    def raw(self) -> socket.socket:
        """A new connection without TLS yet."""
        return socket.create_connection((self.address, self.port), timeout=self.seconds)

    def ask(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> Answer:
        """The answer; OSError without one."""
        connection = self.connect()
        try:
            sent = {"Content-Type": "application/json", **headers}
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            response = connection.getresponse()
            return Answer(response.status, response.read().decode(errors="replace"))
        except http.client.HTTPException as error:
            raise OSError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
