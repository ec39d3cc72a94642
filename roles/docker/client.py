"""Docker's API at its local socket, for host-side code of roles that ask the engine. Standard library alone."""

from __future__ import annotations

import json
import socket
from typing import Any

from roles.kit.agent import web
from roles.kit.agent.base import RemoteError

SOCKET = "/run/docker.sock"


class Docker:
    """The engine of this host; OSError where none answers."""

    def __init__(self, timeout: float = 60) -> None:
        self.timeout = timeout

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and body of an answer."""
        answer = self._answer(method, path, body)
        return answer.status, answer.body

    def swarm(self) -> str:
        """What this engine is in a swarm, as the reference of Docker's API has it for `/_ping`.

        "inactive", "pending", "error", "locked", "active/worker" or "active/manager"; empty where it does not say.
        """
        return self._answer("GET", "/_ping").headers.get("swarm", "")

    def _answer(self, method: str, path: str, body: Any = None) -> web.Answer:
        content = json.dumps(body or {}).encode()
        headers = {"Host": "docker", "Content-Type": "application/json"}
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(self.timeout)
            connection.connect(SOCKET)
            try:
                return web.ask(connection, method, path, headers, content)
            except web.AnswerError:
                raise ConnectionError(f"Docker's answer to {method} {path} broke off") from None

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
        query = web.quote(json.dumps(filters))
        found: list[dict[str, Any]] = self.do(f"list {kind}", "GET", f"/{kind}?filters={query}")
        return found
