"""Requests through the edge, each with its own name, and their results.

Connections are persistent, and a connection that the server closed while it was idle is not used again. Nginx before
1.27.4 closes all idle connections on a reload. Where a test reloads Nginx, a request that was in flight at that moment
is sent once more, on a new connection, as browsers do; elsewhere it counts as failed. The load counts repeated
requests, and how often the service executed each POST.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any

from control import Control

WORKERS = 24
PATIENCE_SECONDS = 15
MOMENT_SECONDS = 1.0  # a request whose connection closes later than this was being processed, and has failed
CLOSED = (ConnectionError, ssl.SSLEOFError)


@dataclass(frozen=True)
class Request:
    """One request and its answer; status 0 means no answer."""

    method: str
    name: str
    status: int
    release: str
    at: float  # time of sending, by this machine's clock
    seconds: float
    why: str = ""
    again: bool = False  # sent a second time, since the connection was closed at the first attempt


def closed(connection: http.client.HTTPSConnection) -> bool:
    """Whether the other side has closed an idle connection."""
    return bool(wait([connection.sock], 0))


@dataclass
class Requests:
    """GET and POST in turn, at a fixed rate over persistent connections, until `stop`."""

    control: Control
    path: str  # of the edge, with a slash at the end
    service: str
    rate: float = 200
    reloads: bool = False  # whether Nginx reloads during the load
    answered: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        env = self.control.planned
        self.address = self.control.lab.host(self.control.group("edge")[0]).address
        self.name = f"api.{env.setting.domain}"
        self.port = int(env.setting.nginx_https_port)
        self.tls = ssl.create_default_context(cadata=env.tls.certificate)
        self.ended = threading.Event()
        self.turn, self.lock, self.number = time.monotonic(), threading.Lock(), 0
        self.run = uuid.uuid4().hex[:8]
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]

    def __enter__(self) -> Requests:
        self._follow()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop, once every request was answered."""
        self.ended.set()
        for thread in self.threads:
            thread.join()
        time.sleep(3)  # for the last lines of the log
        self.log.terminate()
        self.log.wait()
        self.log_file.close()

    @property
    def failed(self) -> list[Request]:
        """Requests without a successful answer."""
        return [one for one in self.answered if not 200 <= one.status < 300]

    @property
    def repeated(self) -> list[Request]:
        """Requests that were sent a second time."""
        return [one for one in self.answered if one.again]

    @property
    def not_once(self) -> dict[str, int]:
        """The number of executions of each POST that was not executed exactly once; only after `stop`."""
        executed = self.executed()
        posts = [one.name for one in self.answered if one.method == "POST"]
        return {name: executed[name] for name in posts if executed[name] != 1}

    def releases(self, since: float = 0.0) -> Counter[str]:
        """The number of requests that each release answered, of those sent since that time."""
        return Counter(one.release for one in self.answered if one.at >= since and one.status == 200)

    def moments(self) -> dict[str, list[float]]:
        """Times of requests, by the release that answered them, and of failed requests."""
        found: dict[str, list[float]] = {}
        for one in self.answered:
            found.setdefault(one.release if one.status == 200 else "failed", []).append(one.at)
        return found

    def executed(self) -> Counter[str]:
        """The number of executions of each POST, by the service's own log."""
        found: Counter[str] = Counter()
        for line in self.log_path.read_text(errors="replace").splitlines():
            at = line.find(f"POST /sessions/{self.run}-")
            if at >= 0:
                found[line[at:].split('"')[0].rsplit("/", 1)[1]] += 1
        return found

    def told(self) -> str:
        """Failures, one line for each kind."""
        kinds = Counter((one.method, one.status, one.why[:80]) for one in self.failed)
        return f"{len(self.failed)} of {len(self.answered)} failed: {dict(kinds)}"

    def _follow(self) -> None:
        """Follow the service's log: a task that is gone takes its log with it."""
        self.log_path = self.control.lab.access / f"requests-{self.run}.log"
        self.log_file = self.log_path.open("w")
        words = ["ssh", "-F", str(self.control.lab.access / "ssh_config"), self.control.group("app")[0]]
        follow = f"sudo docker service logs --raw --follow --since 1s nexus_{self.service}"
        self.log = subprocess.Popen([*words, follow], stdout=self.log_file, stderr=subprocess.DEVNULL)
        time.sleep(2)

    def _next(self) -> tuple[int, float]:
        """Number and due time of the next request; a request that was missed is not sent later."""
        with self.lock:
            self.number += 1
            self.turn = max(self.turn + 1 / self.rate, time.monotonic() - 0.1)
            return self.number, self.turn

    def _work(self) -> None:
        connection = None
        while not self.ended.is_set():
            number, due = self._next()
            time.sleep(max(0.0, due - time.monotonic()))
            if connection and closed(connection):
                connection.close()
                connection = None
            kept, connection = connection is not None, connection or self._connect()
            method = "POST" if number % 2 else "GET"
            name = f"{self.run}-{number}"
            began, at, status, release, why, again = time.monotonic(), time.time(), 0, "", "", False
            try:
                try:
                    answer = self._ask(connection, method, name)
                except CLOSED:
                    if not (self.reloads and kept) or time.monotonic() - began > MOMENT_SECONDS:
                        raise
                    connection.close()
                    again, connection = True, self._connect()
                    answer = self._ask(connection, method, name)
                text, status = answer.read(), answer.status
                release = json.loads(text).get("release", "") if status == 200 else ""
                why = "" if status == 200 else text.decode(errors="replace")[:200]
                if answer.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException, ValueError) as error:
                if connection:
                    connection.close()
                connection, why = None, f"{type(error).__name__}: {error}"
            self.answered.append(Request(method, name, status, release, at, time.monotonic() - began, why, again))

    def _ask(self, connection: http.client.HTTPSConnection, method: str, name: str) -> http.client.HTTPResponse:
        headers = {"Host": self.name, "Content-Type": "application/json"}
        connection.request(method, f"{self.path}{name}", body=b"{}" if method == "POST" else None, headers=headers)
        return connection.getresponse()

    def _connect(self) -> http.client.HTTPSConnection:
        connection = http.client.HTTPSConnection(self.name, self.port, context=self.tls, timeout=PATIENCE_SECONDS)
        raw = socket.create_connection((self.address, self.port), timeout=PATIENCE_SECONDS)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sock = self.tls.wrap_socket(raw, server_hostname=self.name)
        return connection
