"""The phases of a load test: those of operations.yaml, scaled by settings, within bounds."""

from collections.abc import Sequence
from dataclasses import dataclass

from nexus.environment.environment import Environment
from nexus.error import OperatorError

REQUESTS_MAX = 200_000
SECONDS_MAX = 3600
SCALES = ("load_test_rate_percent", "load_test_seconds_percent")


@dataclass(frozen=True)
class Phase:
    """Requests that are sent at a fixed rate for a time, whether or not earlier ones were answered."""

    name: str
    seconds: int
    per_second: int

    @property
    def count(self) -> int:
        """How many requests it sends."""
        return self.seconds * self.per_second

    def __str__(self) -> str:
        return f"{self.name}: {self.per_second} requests a second for {self.seconds} s"


def phases(env: Environment) -> Sequence[Phase]:
    """All phases in order; OperatorError if a scale is not 1 to 100 or together they are too many."""
    for name in SCALES:
        if not 1 <= env.setting[name] <= 100:
            raise OperatorError(f"{name} is {env.setting[name]}: give a number from 1 to 100")
    rate, time = (env.setting[name] / 100 for name in SCALES)
    found = [
        Phase(each.phase, max(1, round(each.seconds * time)), max(1, round(each.arrivals_per_second * rate)))
        for each in env.catalogue.operations.tuning.load_test
    ]
    requests, seconds = sum(phase.count for phase in found), sum(phase.seconds for phase in found)
    if requests > REQUESTS_MAX or seconds > SECONDS_MAX:
        raise OperatorError(
            f"the load test would send {requests} requests in {seconds} s; at most {REQUESTS_MAX} in {SECONDS_MAX} s "
            f"are allowed. Lower tuning.load_test in operations.yaml, or {' or '.join(SCALES)}"
        )
    return found
