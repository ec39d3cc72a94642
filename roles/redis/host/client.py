"""Redis's protocol, for host-side code that asks servers and Sentinels."""

from __future__ import annotations

import socket
import ssl
from typing import Any

SECONDS = 5


class ReplyError(Exception):
    """An error reply."""


class Client:
    """One connection, logged in. OSError if the server does not answer, ReplyError if the login is refused."""

    def __init__(self, sock: socket.socket, user: str, password: str) -> None:
        self._sock, self._stream = sock, sock.makefile("rb")
        self.raw = False  # whether replies are bytes, as dumps of keys must be
        self("AUTH", user, password)

    @classmethod
    def local(cls, path: str, user: str, password: str) -> Client:
        """At a Unix socket of this host."""
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(SECONDS)
        sock.connect(path)
        return cls(sock, user, password)

    @classmethod
    def remote(cls, address: str, port: int, ca: str, user: str, password: str) -> Client:
        """At another host, over TLS that is verified."""
        raw = socket.create_connection((address, port), timeout=SECONDS)
        tls = ssl.create_default_context(cafile=ca)
        return cls(tls.wrap_socket(raw, server_hostname=address), user, password)

    def __call__(self, *words: str | int | bytes) -> Any:
        """The reply to a command: text (bytes where `raw` is set), number, None or a list of these."""
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        request = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self._sock.sendall(b"*%d\r\n%s" % (len(parts), request))
        return self._reply()

    def within(self, seconds: float, *words: str | int | bytes) -> Any:
        """The same where the reply comes in time; else TimeoutError, and the connection is of no use any more."""
        self._sock.settimeout(seconds)
        reply = self(*words)
        self._sock.settimeout(SECONDS)
        return reply

    def _reply(self) -> Any:
        line = self._stream.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("the connection was closed")
        kind, rest = line[:1], line[1:].rstrip().decode(errors="replace")
        if kind == b"-":
            raise ReplyError(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if rest == "-1":
                return None
            data = self._stream.read(int(rest) + 2)[:-2]
            return data if self.raw else data.decode(errors="replace")
        if kind == b"*":
            return None if rest == "-1" else [self._reply() for _ in range(int(rest))]
        return rest

    def close(self) -> None:
        """End the connection."""
        self._stream.close()
        self._sock.close()


def pairs(reply: list[Any]) -> dict[str, Any]:
    """A reply that is a flat list of names and values."""
    return dict(zip(reply[::2], reply[1::2], strict=True))
