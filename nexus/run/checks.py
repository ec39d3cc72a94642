"""Daily checks: the answers of hosts, which are the only input of each role's `daily.py`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nexus.environment.environment import Environment
from nexus.run.row import Answers, Row, told


@dataclass(frozen=True)
class Found:
    """The input of daily checks.

    `answers` holds what the status asks each host, `seen` what only the checks ask: both only for the checks that are
    wanted. `kept` is what the environment keeps.
    """

    env: Environment
    answers: Answers
    seen: Answers
    kept: Mapping[str, Any]
    now: float

    def of(self, part: str) -> dict[str, Mapping[str, Any]]:
        """Return each host's answer for a part that only the checks ask for."""
        return told(self.seen, part, (host.name for host in self.env.hosts))


@dataclass(frozen=True)
class Check:
    """The rows of a check, and its sources: hosts are asked only for those of the checks that are wanted.

    `reads` names parts of `seen`, `status` the roles whose status it reads from `answers`; `kept` is set if it reads
    that.
    """

    rows: Callable[[Found], Iterable[Row]]
    reads: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    kept: bool = False
