"""Daily checks: the answers of hosts, which are the only input of each role's `daily.py`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nexus.environment.environment import Environment
from nexus.run.row import Answers, Row, told


@dataclass(frozen=True)
class Found:
    """The input of daily checks.

    `answers` holds what the status asks each host, `seen` what only the checks ask. `kept` is what the environment
    keeps.
    """

    env: Environment
    answers: Answers
    seen: Answers
    kept: Mapping[str, Any]
    now: float

    def of(self, part: str) -> dict[str, Mapping[str, Any]]:
        """Return each host's answer for a part that only the checks ask for."""
        return told(self.seen, part, (host.name for host in self.env.hosts))


Check = Callable[[Found], Iterable[Row]]
