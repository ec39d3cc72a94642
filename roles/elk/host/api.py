"""The programs' HTTP interfaces on loopback, over TLS, for host-side code."""

import base64
import json
import ssl
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPSConnection
from typing import Any, TypeVar

from nexus.agent import http
from nexus.agent.lib import RemoteError
from nexus.agent.wait import repeat

Item = Mapping[str, Any]
T = TypeVar("T")

SECONDS = 60
READY_SECONDS = 300  # Kibana moves its data to its version at its first start


class NotReady(Exception):
    """The program is about to start or to stop, or does not know the password yet."""


NOT_YET = (ConnectionRefusedError, http.SilenceError, NotReady)


class Api:
    """One program's interface as its administrator. `connect` makes a connection to it."""

    def __init__(self, name: str, connect: Callable[[], HTTPConnection], user: str, passwords: list[str]) -> None:
        self.name, self.connect, self.user = name, connect, user
        self.passwords = list(passwords)  # more than one while it is changed

    def get(self, path: str) -> Any:
        """What is at a path; None where nothing is."""
        return self.send("GET", path, none=404)

    def put(self, path: str, body: Item) -> Any:
        """Make what is at a path, or change it."""
        return self.send("PUT", path, json.dumps(body).encode())

    def send(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json", none: int = 0
    ) -> Any:
        """The answer as data, None for the status `none`; NotReady while it is starting, RemoteError for a refusal."""
        for _ in self.passwords:
            pair = base64.b64encode(f"{self.user}:{self.passwords[0]}".encode()).decode()
            headers = {"Authorization": f"Basic {pair}", "Content-Type": kind, "kbn-xsrf": "nexus-cos"}
            answer = http.ask(self.connect(), method, path, headers, body)
            if answer.status != 401:
                break
            self.passwords.append(self.passwords.pop(0))
        if answer.status == none:
            return None
        if answer.status in (401, 429, 502, 503):
            raise NotReady(f"{method} {path} answered {answer.status}")
        if answer.status >= 300:
            said = answer.body.decode(errors="replace")[:500]
            raise RemoteError(f"{self.name}: {method} {path} answered {answer.status}: {said}")
        return json.loads(answer.body)

    def now(self, question: Callable[[], T]) -> T:
        """The answer to a question; RemoteError while there is none."""
        try:
            return question()
        except NOT_YET as error:
            raise RemoteError(f"{self.name} does not run or does not let us in: {error}") from None

    def started(self, act: Callable[[], T]) -> T:
        """The result of an act, tried until the program has started."""
        late = f"{self.name} did not let {self.user} in within {READY_SECONDS} s"
        return repeat(act, READY_SECONDS, late, pause=2, on=NOT_YET)


def api(context: Item) -> Api:
    """The interface that a state's context names."""

    def connect() -> HTTPConnection:
        tls = ssl.create_default_context(cafile=context["ca"])
        return HTTPSConnection("127.0.0.1", int(context["port"]), timeout=SECONDS, context=tls)

    return Api(context["program"], connect, context["user"], context["passwords"])
