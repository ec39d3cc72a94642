"""The broker's management API on localhost, for host-side code."""

import base64
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPConnection
from typing import Any, TypeVar
from urllib.parse import quote

from nexus.agent import http
from nexus.agent.lib import RemoteError, run
from nexus.agent.wait import repeat

Item = Mapping[str, Any]
T = TypeVar("T")

LOCAL = "127.0.0.1"
SECONDS = 30
READY_SECONDS = 120  # Erlang starts slowly where processors are busy
CONFIGURED = "/etc/rabbitmq/definitions.json"


class Refused(Exception):
    """The broker does not know the administrator, or is about to start or stop."""


NOT_YET = (ConnectionRefusedError, http.SilenceError, Refused)  # of a broker that is about to start, or to stop


class Api:
    """The management API as the administrator."""

    def __init__(self, context: Item) -> None:
        self.port = int(context["port"])
        self.user = str(context["user"])
        self.passwords = list(context["passwords"])  # more than one while it is changed
        self.told = False

    def get(self, *path: str) -> list[dict[str, Any]]:
        """All entries at a path."""
        found: list[dict[str, Any]] = json.loads(self.send("GET", path))
        return found

    def alarms(self) -> list[str]:
        """Resources of this node that ran short, "memory" or "disk space": it blocks publishers meanwhile."""
        try:
            told = json.loads(self.send("GET", ("health", "checks", "local-alarms"), tells=(503,)))
        except ValueError:
            raise Refused("it is about to start, or to stop") from None
        return sorted({str(alarm["resource"]) for alarm in told.get("alarms", [])})

    def put(self, body: Item, *path: str) -> None:
        """Make an entry, or change it."""
        self.send("PUT", path, json.dumps(dict(body)))

    def delete(self, *path: str) -> None:
        """Remove an entry if it is there."""
        self.send("DELETE", path)

    def send(self, method: str, path: tuple[str, ...], body: str | None = None, tells: tuple[int, ...] = ()) -> bytes:
        """The answer's body; Refused while there is no way in, RemoteError for any other failure.

        `tells` are statuses of failure that are an answer.
        """
        content = body.encode() if body is not None else None
        address = "/api/" + "/".join(quote(part, safe="") for part in path)
        for _ in self.passwords:
            pair = base64.b64encode(f"{self.user}:{self.passwords[0]}".encode()).decode()
            headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/json"}
            answer = http.ask(HTTPConnection(LOCAL, self.port, timeout=SECONDS), method, address, headers, content)
            if answer.status != 401:
                break
            self.passwords.append(self.passwords.pop(0))
        if answer.status in tells:
            return answer.body
        if answer.status in (401, 503):
            raise Refused(f"{method} {address} answered {answer.status}")
        if answer.status >= 300 and (method, answer.status) != ("DELETE", 404):
            said = answer.body.decode(errors="replace")[:300]
            raise RemoteError(f"RabbitMQ: {method} {address} answered {answer.status}: {said}")
        return answer.body

    def tell(self) -> None:
        """Have a broker that knows another password read the administrator of its next start now."""
        self.told = True
        with suppress(RemoteError):  # it may be about to start, and read it by itself
            run(["rabbitmqctl", "-q", "import_definitions", CONFIGURED], timeout=60)

    def now(self, question: Callable[[], T], nothing: T) -> T:
        """The answer to a question; `nothing` where the broker was never configured."""
        try:
            return question()
        except NOT_YET as error:
            if os.path.exists(CONFIGURED):
                raise RemoteError(f"RabbitMQ does not run or does not let us in: {error}") from None
            return nothing

    def started(self, question: Callable[[], T]) -> T:
        """The answer, asked for until the broker has started; RemoteError when it does not in time."""

        def ask() -> T:
            try:
                return question()
            except Refused as error:
                if "answered 401" in str(error) and not self.told:
                    self.tell()
                raise

        late = f"RabbitMQ did not let {self.user} in within {READY_SECONDS} s"
        return repeat(ask, READY_SECONDS, late, on=NOT_YET)
