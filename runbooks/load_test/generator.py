"""Requests at a fixed rate, from a process of their own, so that the work of a run does not delay them.

    python -m gevent.monkey runbooks/load_test/generator.py

It imports nothing of this project, so it starts at once. Standard input has what `send` of load.py writes, standard
output what it reads. A request is due at a fixed time, whether or not earlier ones were answered. Its time counts from
then, so that a slow edge cannot slow down the questions that show it. It ends early once too many requests fail, or
the run that started it is gone.
"""

import json
import os
import ssl
import sys
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import gevent
from gevent.pool import Pool
from urllib3 import HTTPSConnectionPool, Timeout
from urllib3.exceptions import HTTPError

WAITING = 10  # requests that may wait for each connection; more are not sent
JUDGED = 100  # with fewer answers it does not end early
LIMITED = 429
NO_ANSWER = 0


class Load:
    """The requests of one phase, and their results."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        self.asked = asked
        self.edges = [self._edge(edge) for edge in asked["edges"]]
        self.requests: list[tuple[float, float, int, float]] = []
        self.why: Counter[str] = Counter()
        self.unsent = self.failed = 0

    def run(self) -> dict[str, Any]:
        """Send all requests and wait for their answers."""
        at_work = Pool(self.asked["connections"] * len(self.edges) * WAITING)
        self.began = time.monotonic()
        for number in range(self.asked["count"]):
            due = number / self.asked["per_second"]
            gevent.sleep(max(0.0, self.began + due - time.monotonic()))
            if self._stops or self._abandoned:
                break
            if at_work.full():
                self.unsent += 1
            else:
                at_work.spawn(self._ask, number % len(self.edges), due)
        at_work.join()
        return {"requests": self.requests, "unsent": self.unsent, "why": self.why, "stopped": self._stops}

    @property
    def _stops(self) -> bool:
        done = len(self.requests)
        return done >= JUDGED and 100 * self.failed > self.asked["stop_percent"] * done

    @property
    def _abandoned(self) -> bool:
        """Whether the run that started this has ended, such as by a signal."""
        return os.getppid() != int(self.asked["parent"])

    def _edge(self, edge: Mapping[str, Any]) -> HTTPSConnectionPool:
        name, seconds = self.asked["name"], self.asked["answer_seconds"]
        return HTTPSConnectionPool(
            edge["address"],
            edge["port"],
            maxsize=self.asked["connections"],
            block=True,
            timeout=Timeout(total=seconds),
            headers={"Host": name, **self.asked["headers"]},
            ssl_context=ssl.create_default_context(cadata=edge["ca"] or None),
            server_hostname=name,
            assert_hostname=name,
        )

    def _ask(self, number: int, due: float) -> None:
        """One request; keeps (due in s, sent late by ms, status, answered after ms)."""
        late = time.monotonic() - self.began - due
        status, why = NO_ANSWER, ""
        try:
            answer = self.edges[number].request(
                "GET", self.asked["path"], retries=False, redirect=False, pool_timeout=self.asked["answer_seconds"]
            )
            status = answer.status
        except (HTTPError, OSError) as error:
            why = f"{type(error).__name__}: {error}"
        spent = time.monotonic() - self.began - due
        good = 200 <= status < 300
        self.failed += not good and status != LIMITED
        if not good:
            address = self.asked["edges"][number]["address"]
            self.why[f"{address}: {why or f'status {status}'}"] += 1
        self.requests.append((round(due, 3), round(1000 * late, 1), status, round(1000 * spent, 1)))


if __name__ == "__main__":
    print(json.dumps(Load(json.load(sys.stdin)).run()))
