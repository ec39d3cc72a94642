"""The outcome of a run: what it changed, what it would change, and its notes."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

from pyinfra import logger

from nexus.plan.desired import Change
from nexus.run.journal import Journal


class Conclusion(Protocol):
    """What a role reports at the end of a run."""

    def parts(self) -> Iterable[str]:
        """Return parts for the closing line."""

    def tell(self) -> None:
        """Print what an operator should read before the closing line."""


class Outcome:
    """Collects results during the run. The closing line, the record and the exit status are made from it."""

    def __init__(self) -> None:
        self.changes: dict[str, list[Change]] = defaultdict(list)  # changes made, by host
        self.journal = Journal()  # changes begun
        self.acting = False  # True once a runbook has begun its first act
        self.proposed = 0  # changes that a dry run would make
        self.findings: dict[str, str] = {}  # kind -> last finding of this kind, for the closing line
        self.missed: int | None = None  # targets that a report found missed
        self.conclusions: dict[str, Conclusion] = {}  # by role
        self.notes: dict[str, None] = {}

    @property
    def touched(self) -> bool:
        """Return True if a change was made or begun on any host."""
        return self.acting or bool(self.journal.hosts) or any(self.changes.values())

    def note(self, role: str, text: str) -> bool:
        """Print a note for the operator, once a run. Return False if it was printed before."""
        if text in self.notes:
            return False
        self.notes[text] = None
        logger.warning(f"    {role}: {text}")
        return True
