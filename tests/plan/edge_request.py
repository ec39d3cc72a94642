"""Requests to an edge on loopback, each on its own connection."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from typing import Any

ADDRESS = "127.77.0.1"  # of the edge
SECONDS = 60  # time for something that takes one second, on a busy machine


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


def answered(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> Answer:
    """The answer to a request; the connection is closed."""
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()
