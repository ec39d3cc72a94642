"""Whether a new release may stay: judged by its tasks, its readiness and the traffic. Pure functions.

An error rate counts against it only above the trigger of operations.yaml and above the rate before: a release that
fixes something must pass. A slowdown counts only if the answers are also slower than the platform promises
(slo.response_ms): from 2 to 4 ms does not matter.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nexus.catalogue import Catalogue

ROLLED_BACK = "its tasks did not get healthy, and the previous release runs again"


@dataclass(frozen=True)
class Traffic:
    """Answered requests. `milliseconds` maps a duration to the number of requests that took it."""

    requests: int = 0
    errors: int = 0
    milliseconds: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, answers: Iterable[Mapping[str, Any]]) -> Traffic:
        """The sum of the requests at several edge hosts."""
        requests = errors = 0
        milliseconds: dict[int, int] = {}
        for answer in answers:
            requests, errors = requests + answer["requests"], errors + answer["errors"]
            for duration, count in answer["milliseconds"].items():
                milliseconds[int(duration)] = milliseconds.get(int(duration), 0) + count
        return cls(requests, errors, milliseconds)

    @property
    def error_percent(self) -> float:
        """The share of requests answered with 5xx."""
        return 100 * self.errors / self.requests if self.requests else 0.0

    @property
    def p95(self) -> float:
        """Milliseconds within which 95 % of the requests were answered; 0 without requests."""
        left = math.ceil(0.95 * sum(self.milliseconds.values()))
        for duration in sorted(self.milliseconds):
            left -= self.milliseconds[duration]
            if left <= 0:
                return duration
        return 0.0

    def __str__(self) -> str:
        return f"{self.requests} requests, {self.error_percent:.1f} % errors, p95 {self.p95:.0f} ms"


@dataclass(frozen=True)
class Limits:
    """Limits that a new release may not exceed."""

    error_percent: float
    slowdown_percent: float
    p95_ms: float  # a p95 below it never counts as slow
    requests: int  # fewer are too few to judge

    @classmethod
    def of(cls, catalogue: Catalogue, requests: int) -> Limits:
        """Of operations.yaml."""
        triggers = catalogue.operations.rollback.triggers
        promised = catalogue.operations.slo.response_ms.api.p95
        return cls(float(triggers.error_rate_percent), float(triggers.slowdown_percent), float(promised), requests)


def objection(before: Traffic, after: Traffic, limits: Limits) -> str:
    """The reason why the traffic rules out the new release; empty if it does not, or if it is too little to judge."""
    if after.requests < limits.requests:
        return ""
    if after.error_percent > max(limits.error_percent, before.error_percent):
        return (
            f"{after.error_percent:.1f} % of {after.requests} requests failed; {limits.error_percent:g} % may fail, "
            f"and {before.error_percent:.1f} % failed before"
        )
    slower = before.p95 * (1 + limits.slowdown_percent / 100)
    if before.requests >= limits.requests and after.p95 > max(slower, limits.p95_ms):
        return (
            f"p95 is {after.p95:.0f} ms and was {before.p95:.0f} ms before; "
            f"a slowdown of more than {limits.slowdown_percent:g} % is too much"
        )
    return ""


def task_objection(found: Mapping[str, Any], wanted_hash: str, replicas: int, known: Iterable[str]) -> str:
    """The reason why a service's tasks rule out its new release. `known` are ids of tasks that failed earlier."""
    if found.get("hash") != wanted_hash:
        return ROLLED_BACK
    failed = [error for task, error in found["failed"] if task not in known]
    if failed:
        return f"a task ended after it had been healthy: {failed[-1] or 'no reason given'}"
    if found["running"] < replicas:
        return f"{found['running']} of {replicas} tasks run"
    return ""
