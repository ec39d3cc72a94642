"""Docker's API at its local socket, for host-side code of roles that ask the engine. Standard library alone."""

from __future__ import annotations

import json
import socket
import urllib.parse
from typing import Any

from roles.kit.agent.base import RemoteError

SOCKET = "/run/docker.sock"


class Docker:
    """The engine of this host, asked by HTTP/1.0: an answer ends where its connection does.

    `http.client` would do as well, and take 20 ms of every probe to be imported. OSError where none answers.
    """

    def __init__(self, timeout: float = 60) -> None:
        self.timeout = timeout

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and body of an answer."""
        content = json.dumps(body or {}).encode()
        head = f"{method} {path} HTTP/1.0\r\nHost: docker\r\nContent-Type: application/json\r\n"
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(self.timeout)
            connection.connect(SOCKET)
            connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
            parts = []
            while part := connection.recv(1 << 16):
                parts.append(part)
        headers, _, answer = b"".join(parts).partition(b"\r\n\r\n")
        words = headers.split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
            raise ConnectionError(f"Docker's answer to {method} {path} broke off")
        return int(words[1]), answer

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and decoded answer, None for an empty one."""
        status, text = self.raw(method, path, body)
        return status, json.loads(text) if text.strip() else None

    def do(self, what: str, method: str, path: str, body: Any = None) -> Any:
        """The answer of a request that has to succeed; `what` says what it was for."""
        status, answer = self.ask(method, path, body)
        if status >= 400:
            raise RemoteError(f"cannot {what}: {(answer or {}).get('message', status)}")
        return answer

    def list(self, kind: str, **filters: list[str]) -> list[dict[str, Any]]:
        """Objects of one kind that match all filters."""
        query = urllib.parse.quote(json.dumps(filters))
        found: list[dict[str, Any]] = self.do(f"list {kind}", "GET", f"/{kind}?filters={query}")
        return found
