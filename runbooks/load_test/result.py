"""Figures of a phase, and which objectives of operations.yaml it missed."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from nexus.catalogue.observation import Slo
from runbooks.load_test.generator import LIMITED, NO_ANSWER
from runbooks.load_test.phase import Phase

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
KINDS = 3  # of failures that a message names


class Request(NamedTuple):
    """One request: when it was due in its phase, how late it was sent, and its answer; status 0 is none."""

    due_seconds: float
    late_ms: float
    status: int
    ms: float


@dataclass(frozen=True)
class Result:
    """The requests of a phase. `unsent` are those for which too many others waited."""

    phase: Phase
    requests: Sequence[Request]
    unsent: int
    stopped: bool
    why: Mapping[str, int]

    @classmethod
    def of(cls, phase: Phase, told: Mapping[str, Any]) -> "Result":
        """What the generator told."""
        requests = [Request(*each) for each in told["requests"]]
        return cls(phase, requests, told["unsent"], told["stopped"], told["why"])

    @property
    def statuses(self) -> dict[int, int]:
        """{status: number of requests}."""
        return dict(sorted(Counter(request.status for request in self.requests).items()))

    @property
    def good(self) -> list[Request]:
        """Requests that were answered with 2xx."""
        return [request for request in self.requests if 200 <= request.status < 300]

    @property
    def limited(self) -> int:
        """Requests that the edge refused because one address sent too many."""
        return self.statuses.get(LIMITED, 0)

    @property
    def failed(self) -> int:
        """Requests without an answer, or with another one than 2xx and 429."""
        return len(self.requests) - len(self.good) - self.limited

    @property
    def failed_percent(self) -> float:
        """The share of requests that failed."""
        return 100 * self.failed / max(1, len(self.requests))

    @property
    def per_second(self) -> float:
        """Answers with 2xx a second, from the first request to the last answer."""
        last = max((request.due_seconds + request.ms / 1000 for request in self.requests), default=0.0)
        return len(self.good) / max(last, 1.0)

    @property
    def times(self) -> dict[str, float]:
        """Quantiles of the times of answers with 2xx, in ms; empty without any."""
        return quantiles([request.ms for request in self.good])

    @property
    def late_ms(self) -> float:
        """By how much the latest percent of requests was sent too late; answers seem slower by that."""
        return quantiles([request.late_ms for request in self.requests]).get("p99", 0.0)

    def by_second(self) -> Iterator["Result"]:
        """The same for each second of the phase, by when requests were due."""
        found: dict[int, list[Request]] = {}
        for request in self.requests:
            found.setdefault(int(request.due_seconds), []).append(request)
        for second in range(self.phase.seconds):
            yield Result(self.phase, found.get(second, ()), 0, self.stopped, {})

    def missed(self, slo: Slo, warm: bool = True) -> Iterator[str]:
        """A line for each objective that the phase missed, with what to do where the edge is not the cause.

        Times are judged only where the platform is warm: an earlier phase has filled caches and pools.
        """
        name, times = self.phase.name, self.times
        for quantile, limit in slo.response_ms.api if warm else ():
            if times.get(quantile, math.inf) > limit:
                found = f"{times[quantile]:g} ms" if times else "unknown: nothing was answered"
                yield f"{name}: {quantile} is {found}, at most {limit:g} ms"
        if self.failed_percent > slo.error_rate_percent:
            limit = slo.error_rate_percent
            yield f"{name}: {self.failed_percent:.3g} % of requests failed, at most {limit:g} %: {self.reasons()}"
        if self.limited:
            yield (
                f"{name}: the edge refused {self.limited} requests by its limits for one address (429): add this "
                "machine's address to edge_unlimited_networks and converge the edge"
            )
        if self.unsent:
            yield (
                f"{name}: {self.unsent} of {self.phase.count} requests were not sent, since too many waited for an "
                "answer: the platform does not carry this load, or load_test_connections is too low"
            )

    def reasons(self) -> str:
        """The most frequent reasons of failures."""
        failures = Counter({why: count for why, count in self.why.items() if not why.endswith(f"status {LIMITED}")})
        return ", ".join(f"{count} x {why}" for why, count in failures.most_common(KINDS))

    def document(self) -> dict[str, Any]:
        """The figures as data."""
        return {
            "phase": self.phase.name,
            "seconds": self.phase.seconds,
            "arrivals_per_second": self.phase.per_second,
            "requests": len(self.requests),
            "unsent": self.unsent,
            "stopped": self.stopped,
            "answers_per_second": round(self.per_second, 2),
            "statuses": {named(status): count for status, count in self.statuses.items()},
            "limited": self.limited,
            "failed": self.failed,
            "failed_percent": round(self.failed_percent, 4),
            "times_ms": self.times,
            "sent_late_p99_ms": self.late_ms,
            "why": dict(self.why),
        }


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """{"p50", "p95", "p99"} of these values: each is one of them; empty without values."""
    ordered = sorted(values)
    return {name: ordered[math.ceil(share * len(ordered)) - 1] for name, share in QUANTILES.items() if ordered}


def named(status: int) -> str:
    """A status for people."""
    return "no answer" if status == NO_ANSWER else str(status)
