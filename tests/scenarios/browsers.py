"""Browsers that keep pages open: each holds an index of some release and loads its files later, from any edge host."""

from __future__ import annotations

import http.client
import random
import re
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from control import Control

NAMED = re.compile(rb"assets/[\w.-]+-[\w-]{8}\.(?:js|css|svg)")
TYPES = {"js": "application/javascript", "css": "text/css", "svg": "image/svg+xml"}
PATIENCE_SECONDS = 15
HELD = 5  # pages of earlier releases that a browser keeps open


@dataclass
class Browsers:
    """Some browsers that together send `rate` requests a second, until `stop`."""

    control: Control
    slug: str
    rate: float = 100
    count: int = 5
    seed: int = 0
    sent: int = 0
    wrong: list[str] = field(default_factory=list)
    pages: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        env = self.control.planned
        self.edges = [self.control.lab.host(name).address for name in self.control.group("edge")]
        self.name, self.port = str(env.setting.domain), int(env.setting.nginx_https_port)
        self.tls = ssl.create_default_context(cadata=env.tls.certificate)
        self.ended, self.lock = threading.Event(), threading.Lock()
        self.threads = [threading.Thread(target=self._browse, args=(number,)) for number in range(self.count)]

    def __enter__(self) -> Browsers:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join(PATIENCE_SECONDS * 2)

    def get(self, edge: str, path: str) -> tuple[int, str, bytes]:
        """Status, type and body of an answer of one edge host, on a connection of its own."""
        connection = http.client.HTTPSConnection(self.name, self.port, timeout=PATIENCE_SECONDS, context=self.tls)
        raw = socket.create_connection((edge, self.port), PATIENCE_SECONDS)
        connection.sock = self.tls.wrap_socket(raw, server_hostname=self.name)
        try:
            connection.request("GET", path, headers={"Accept": "text/html,*/*"})
            answer = connection.getresponse()
            return answer.status, answer.headers.get_content_type(), answer.read()
        finally:
            connection.close()

    def files_of(self, page: bytes, edges: Sequence[str], chance: random.Random) -> list[str]:
        """Paths of all files that a page needs sooner or later, each asked for at some edge host."""
        found, waiting = [], sorted(set(NAMED.findall(page)))
        while waiting:
            path = f"/{self.slug}/{waiting.pop().decode()}"
            if path not in found:
                found.append(path)
                waiting += sorted(set(NAMED.findall(self._asset(chance.choice(edges), path))))
        return found

    def _asset(self, edge: str, path: str) -> bytes:
        try:
            status, kind, body = self.get(edge, path)
        except (OSError, http.client.HTTPException) as error:
            status, kind, body = 0, f"{type(error).__name__}: {error}", b""
        with self.lock:
            self.sent += 1
            if (status, kind) != (200, TYPES[path.rpartition(".")[2]]):
                self.wrong.append(f"{path} at {edge}: {status} {kind}")
        return body

    def _browse(self, number: int) -> None:
        chance = random.Random(self.seed + number)
        held: list[list[str]] = []
        while not self.ended.is_set():
            began, before = time.monotonic(), self.sent
            try:
                status, kind, page = self.get(chance.choice(self.edges), f"/{self.slug}/")
            except (OSError, http.client.HTTPException) as error:
                status, kind, page = 0, f"{type(error).__name__}: {error}", b""
            with self.lock:
                self.sent += 1
                self.pages.add(page)
                if (status, kind) != (200, "text/html"):
                    self.wrong.append(f"/{self.slug}/: {status} {kind}")
            held = [*held, self.files_of(page, self.edges, chance)][-HELD:]
            for path in chance.choice(held):  # a tab that was open for some releases loads what it had not yet
                self._asset(chance.choice(self.edges), path)
            self.ended.wait(max(0.0, (self.sent - before) / self.rate - (time.monotonic() - began)))
