"""Checks of a day: what hosts said for them. The files `daily.py` of roles judge it, from nothing else."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nexus.environment.environment import Environment
from nexus.run.row import Answers, Row, told


@dataclass(frozen=True)
class Found:
    """Answers to the status's questions and to those of the checks alone, by host; and what the environment keeps."""

    env: Environment
    answers: Answers
    seen: Answers
    kept: Mapping[str, Any]
    now: float

    def of(self, part: str) -> dict[str, Mapping[str, Any]]:
        """What each host said of a part that is asked for the checks alone."""
        return told(self.seen, part, (host.name for host in self.env.hosts))


Check = Callable[[Found], Iterable[Row]]
