"""The broker's management API on localhost, for host-side code. Standard library alone."""

from __future__ import annotations

import binascii
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from roles.kit.agent import web
from roles.kit.agent.base import RemoteError, run

Item = Mapping[str, Any]
T = TypeVar("T")

LOCAL = "127.0.0.1"
SECONDS = 30
READY_SECONDS = 120  # Erlang starts slowly where processors are busy
CONFIGURED = "/etc/rabbitmq/definitions.json"


class Refused(Exception):
    """The broker does not know the administrator, or is about to start or stop."""


NOT_YET = (ConnectionRefusedError, web.SilenceError, Refused)  # of a broker that is about to start, or to stop


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

    def put(self, body: Item, *path: str) -> None:
        """Make an entry, or change it."""
        self.send("PUT", path, json.dumps(dict(body)))

    def delete(self, *path: str) -> None:
        """Remove an entry if it is there."""
        self.send("DELETE", path)

    def send(self, method: str, path: tuple[str, ...], body: str | None = None) -> bytes:
        """The answer's body; Refused while there is no way in, RemoteError for any other failure."""
        address = "/api/" + "/".join(web.quote(part, safe="") for part in path)
        for _ in self.passwords:
            pair = binascii.b2a_base64(f"{self.user}:{self.passwords[0]}".encode(), newline=False).decode()
            headers = {"Host": LOCAL, "Authorization": f"Basic {pair}", "Content-Type": "application/json"}
            with web.connect(LOCAL, self.port, SECONDS) as connection:
                answer = web.ask(connection, method, address, headers, body)
            if answer.status != 401:
                break
            self.passwords.append(self.passwords.pop(0))
        if answer.status in (401, 503):
            raise Refused(f"{method} {address} answered {answer.status}")
        if answer.status >= 300 and (method, answer.status) != ("DELETE", 404):
            raise RemoteError(f"RabbitMQ: {method} {address} answered {answer.status}: {answer.body.decode()[:300]}")
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
        end = time.monotonic() + READY_SECONDS
        while True:
            try:
                return question()
            except NOT_YET as error:
                if "answered 401" in str(error) and not self.told:
                    self.tell()
                if time.monotonic() > end:
                    what = f"RabbitMQ did not let {self.user} in within {READY_SECONDS} s"
                    raise RemoteError(f"{what}: {error}") from None
                time.sleep(0.5)
