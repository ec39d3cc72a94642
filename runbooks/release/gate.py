"""Whether a new release may stay: judged by its tasks, its readiness and the traffic. Pure functions.

A rate of errors counts against it when it is above the trigger of operations.yaml and above what it was
before: a release that mends something must pass. Slower counts only where the answers are also slower than
the platform promises (slo.response_ms): from 2 to 4 ms is nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nexus.catalogue import Catalogue

ROLLED_BACK = "its tasks did not get healthy, and what ran before runs again"


@dataclass(frozen=True)
class Traffic:
    """Requests that were answered, and how. `milliseconds` maps a duration to how often it was seen."""

    requests: int = 0
    errors: int = 0
    milliseconds: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, answers: Iterable[Mapping[str, Any]]) -> Traffic:
        """The sum of what several edge hosts saw."""
        requests = errors = 0
        milliseconds: dict[int, int] = {}
        for answer in answers:
            requests, errors = requests + answer["requests"], errors + answer["errors"]
            for duration, count in answer["milliseconds"].items():
                milliseconds[int(duration)] = milliseconds.get(int(duration), 0) + count
        return cls(requests, errors, milliseconds)

    @property
    def error_percent(self) -> float:
        """Share of requests that ended with 5xx."""
        return 100 * self.errors / self.requests if self.requests else 0.0

    @property
    def p95(self) -> float:
        """Milliseconds within which 95 of 100 were answered; 0 without requests."""
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
    """What a new release may not exceed."""

    error_percent: float
    slowdown_percent: float
    p95_ms: float  # below it no answer counts as slow
    requests: int  # fewer say nothing

    @classmethod
    def of(cls, catalogue: Catalogue, requests: int) -> Limits:
        """Of operations.yaml."""
        triggers = catalogue.operations.rollback.triggers
        promised = catalogue.operations.slo.response_ms.api.p95
        return cls(float(triggers.error_rate_percent), float(triggers.slowdown_percent), float(promised), requests)


def objection(before: Traffic, after: Traffic, limits: Limits) -> str:
    """Why the traffic speaks against the new release; empty when it does not, or is too little to tell."""
    if after.requests < limits.requests:
        return ""
    if after.error_percent > max(limits.error_percent, before.error_percent):
        return (
            f"{after.error_percent:.1f} % of {after.requests} requests failed; {limits.error_percent:g} % may, "
            f"and {before.error_percent:.1f} % did before"
        )
    slower = before.p95 * (1 + limits.slowdown_percent / 100)
    if before.requests >= limits.requests and after.p95 > max(slower, limits.p95_ms):
        return (
            f"p95 is {after.p95:.0f} ms and was {before.p95:.0f} ms before; "
            f"{limits.slowdown_percent:g} % more than that is too slow"
        )
    return ""


def task_objection(found: Mapping[str, Any], wanted_hash: str, replicas: int, known: Iterable[str]) -> str:
    """Why the tasks of a service speak against its new release. `known` are ids of failures from before."""
    if found.get("hash") != wanted_hash:
        return ROLLED_BACK
    failed = [error for task, error in found["failed"] if task not in known]
    if failed:
        return f"a task ended after it had been healthy: {failed[-1] or 'without a reason'}"
    if found["running"] < replicas:
        return f"{found['running']} of {replicas} tasks run"
    return ""
