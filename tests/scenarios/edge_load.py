"""Clients that know several addresses of the edge: one that fails is left for the next, as browsers do with DNS."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from control import Control
from edge_client import EdgeClient

CLIENTS = 6
ANSWER_SECONDS = 2.0  # until a client tries the next address


@dataclass
class EdgeLoad:
    """Requests of several clients, one after the other, within a context.

    `lost` has requests that no address answered; `moved` counts those that a later address answered.
    """

    control: Control
    addresses: Sequence[str]
    rate: float = 20  # requests a second of all clients
    answered: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    moved: int = 0

    def __enter__(self) -> EdgeLoad:
        self.began = self.stopped = time.time()
        self.ended, self.lock = threading.Event(), threading.Lock()
        self.threads = [threading.Thread(target=self._client, args=(number,), daemon=True) for number in range(CLIENTS)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stopped = time.time()
        self.ended.set()
        for thread in self.threads:
            thread.join()

    @property
    def longest_gap(self) -> float:
        """The longest time without an answer, until the load ended; in seconds."""
        return max(later - sooner for sooner, later in pairwise([self.began, *sorted(self.answered), self.stopped]))

    def _client(self, number: int) -> None:
        mine = [*self.addresses[number % len(self.addresses) :], *self.addresses[: number % len(self.addresses)]]
        clients = [EdgeClient(self.control, address, ANSWER_SECONDS) for address in mine]
        while not self.ended.wait(CLIENTS / self.rate):
            self._ask(clients)

    def _ask(self, clients: Sequence[EdgeClient]) -> None:
        said = []
        for place, client in enumerate(clients):
            try:
                answer = client.ask("/api/sessions/edges")
            except OSError as error:
                said.append(f"{client.address}: {type(error).__name__}: {error}")
                continue
            if answer.status == 200:
                with self.lock:
                    self.answered.append(time.time())
                    self.moved += place > 0
                return
            said.append(f"{client.address}: {answer.status}")
        with self.lock:
            self.lost.append("; ".join(said))
