"""A receiver of alerts on the machine of the tests: it keeps what Alertmanager sends to its webhook."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Key = tuple[str, str]  # the name of an alert, and the host or service that it concerns


@dataclass(frozen=True)
class Message:
    """One alert of a notification, when it arrived."""

    at: float
    status: str  # firing or resolved
    labels: dict[str, str]
    annotations: dict[str, str]

    @property
    def key(self) -> Key:
        """The alert, and what it concerns."""
        return self.labels["alertname"], self.labels.get("service") or self.labels.get("host", "")


@dataclass
class Receiver:
    """Everything that arrived, in order."""

    url: str
    messages: list[Message] = field(default_factory=list)

    def add(self, body: dict[str, Any]) -> None:
        """Keep the alerts of one notification."""
        now = time.monotonic()
        self.messages += [Message(now, one["status"], one["labels"], one["annotations"]) for one in body["alerts"]]

    def state(self) -> dict[Key, str]:
        """What was said last of each alert: firing or resolved."""
        return {message.key: message.status for message in self.messages}

    def of(self, key: Key, status: str) -> list[Message]:
        """The messages of this status about an alert."""
        return [message for message in self.messages if matches(message.key, key) and message.status == status]


def matches(found: Key, wanted: Key) -> bool:
    """Whether an alert is the wanted one; "*" stands for any host or service."""
    return found[0] == wanted[0] and wanted[1] in ("*", found[1])


@contextmanager
def receiver(address: str) -> Iterator[Receiver]:
    """A receiver that listens at an address of this machine as long as the context is open."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.add(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer((address, 0), Handler) as server:
        found = Receiver(f"http://{address}:{server.server_address[1]}/")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield found
        finally:
            server.shutdown()
