"""Docker's API at its local socket, for the host-side code of roles that ask the engine."""

import json
from typing import Any
from urllib.parse import quote

from nexus.agent import http
from nexus.agent.lib import RemoteError

SOCKET = "/run/docker.sock"


class Docker:
    """The engine of this host; OSError where none answers."""

    def __init__(self, timeout: float = 60) -> None:
        self.timeout = timeout

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and body of an answer."""
        answer = self._answer(method, path, body)
        return answer.status, answer.body

    def _answer(self, method: str, path: str, body: Any = None) -> http.Answer:
        # Only POST is sent a body: the engine answers other requests and closes, perhaps before it has read the body.
        content = json.dumps(body or {}).encode() if method == "POST" else None
        headers = {"Host": "docker", "Content-Type": "application/json"}
        try:
            return http.ask(http.UnixConnection(SOCKET, self.timeout), method, path, headers, content)
        except http.AnswerError:
            raise ConnectionError(f"Docker's answer to {method} {path} was cut off") from None

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and decoded answer, None for an empty one."""
        status, text = self.raw(method, path, body)
        return status, json.loads(text) if text.strip() else None

    def do(self, what: str, method: str, path: str, body: Any = None) -> Any:
        """The answer to a request that must succeed; `what` says what the request is for."""
        status, answer = self.ask(method, path, body)
        if status >= 400:
            raise RemoteError(f"cannot {what}: {(answer or {}).get('message', status)}")
        return answer

    def list(self, kind: str, **filters: list[str]) -> list[dict[str, Any]]:
        """Objects of one kind that match all filters."""
        query = quote(json.dumps(filters))
        found: list[dict[str, Any]] = self.do(f"list {kind}", "GET", f"/{kind}?filters={query}")
        return found
