"""What came of a run: what it changed, what it would change, and what it has to say."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

from pyinfra import logger

from nexus.plan.desired import Change
from nexus.run.journal import Journal


class Conclusion(Protocol):
    """What a role knows at the end of a run, in words."""

    def parts(self) -> Iterable[str]:
        """Parts of the closing line."""

    def tell(self) -> None:
        """Print what an operator should see before it."""


class Outcome:
    """Grows during the run; the closing line, the record and the exit status are made from it."""

    def __init__(self) -> None:
        self.changes: dict[str, list[Change]] = defaultdict(list)  # that were made, by host
        self.journal = Journal()  # that were begun
        self.acting = False  # whether a runbook's first act was begun
        self.proposed = 0  # changes that a dry run would make
        self.findings: dict[str, str] = {}  # for the closing line, the last of each kind
        self.missed: int | None = None  # targets that a report found missed
        self.conclusions: dict[str, Conclusion] = {}  # by role: what it says at the end
        self.notes: dict[str, None] = {}

    @property
    def touched(self) -> bool:
        """Whether anything was changed on any host, or begun to be."""
        return self.acting or bool(self.journal.hosts) or any(self.changes.values())

    def note(self, role: str, text: str) -> bool:
        """Say something that an operator should know, once a run; False where it was said before."""
        if text in self.notes:
            return False
        self.notes[text] = None
        logger.warning(f"    {role}: {text}")
        return True
