"""Docker's API at its local socket, for host-side code of roles that ask the engine. Standard library alone."""

from __future__ import annotations

import http.client
import json
import socket
import urllib.parse
from typing import Any

from roles.kit.agent.base import RemoteError

SOCKET = "/run/docker.sock"


class Docker(http.client.HTTPConnection):
    """A connection to the engine of this host. OSError where none answers."""

    def __init__(self, timeout: float = 60) -> None:
        super().__init__("docker", timeout=timeout)

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(SOCKET)

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and body of an answer."""
        self.request(method, path, json.dumps(body or {}), {"Content-Type": "application/json"})
        answer = self.getresponse()
        return answer.status, answer.read()

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
