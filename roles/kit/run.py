"""One run: what it compares, what it has changed, and what it has to say."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping

from gevent.lock import RLock
from pyinfra import logger
from pyinfra.api.exceptions import PyinfraError

from roles.kit import difference, limit
from roles.kit.ahead import Ahead
from roles.kit.difference import Differences
from roles.kit.environment import Environment
from roles.kit.error import OperatorError
from roles.kit.journal import Journal
from roles.kit.knowledge import Knowledge
from roles.kit.model import Change
from roles.plans import KEEPING, notes_of


class _Missing:
    """Stands for the run of a deploy that was started without an environment."""

    def __get__(self, instance: object, owner: type[Run]) -> Run:
        raise OperatorError(
            "this deploy needs an environment: write `pyinfra inventory DEPLOY` for the one in NEXUS_ENV"
        )


def begun() -> Run | None:
    """The run of this process; None where pyinfra was started without an environment."""
    try:
        return Run.current
    except OperatorError:
        return None


class Run(Knowledge):
    """What one invocation of pyinfra knows and does. There is one per process: `Run.current`."""

    current: Run = _Missing()  # type: ignore[assignment]

    def __init__(self, environment: Environment, left_out: frozenset[str] = frozenset()) -> None:
        super().__init__(environment, left_out)
        self.started = time.monotonic()
        self.checked = False  # whether the environment was looked at before anything else
        self.changes: dict[str, list[Change]] = defaultdict(list)  # that were made
        self.journal = Journal()  # that were begun
        self.planned: dict[str, set[str]] = defaultdict(set)  # roles that this run converges, by host
        self.reading: set[str] = set()  # operations that change nothing
        self.journaled: set[str] = set()  # operations that note what they change themselves
        self.report: Callable[[Run], int] | None = None  # instead of operations: its answer is the exit status
        self.acting = False  # whether a runbook's first act was begun
        self.proposed = 0  # changes that a dry run would make
        self.notes: dict[str, None] = {}
        self.findings: dict[str, str] = {}  # for the closing line, the last of each kind
        self.missed: int | None = None  # targets that a report found missed
        self.ahead: Ahead | None = None  # what can be asked before all hosts have answered
        self.health: dict[str, str] | None = None  # service -> "" or why it is not healthy
        self.logs: dict[str, list[str]] = {}
        self._noted: set[str] = set()
        self._settled: bool | None = None

    def prepare(self, name: str, role: str) -> None:
        """Ask the host, and refuse what cannot be before anything is changed anywhere."""
        limit.check(self, role)
        checks = self.answer(name)["checks"]
        if reason := checks.get("base") or checks.get(role):  # without its base no role is laid down
            raise OperatorError(f"{name}: {role} cannot be laid down: {reason}")
        if role not in self._noted:
            self._noted.add(role)
            kept = self.kept() if role in KEEPING else {}
            environment = self.environment.seen([self.host(member) for member in self.members(role)], {}, kept)
            for note in notes_of(role, environment):
                self.note(role, note)

    def note(self, role: str, text: str) -> bool:
        """Say something that an operator should know, once a run."""
        if text in self.notes:
            return False
        self.notes[text] = None
        logger.warning(f"    {role}: {text}")
        return True

    def compare(
        self, name: str, role: str, planned: Mapping[str, str] | None = None, part: str = difference.WHOLE
    ) -> Differences:
        """Differences of one role on one host; `planned` is `digests_of` for whoever compares all its roles."""
        if role in KEEPING and self.executing() and self._unknown:  # to plan from a guess is fine, to act on it is not
            raise OperatorError(f"{role} depends on what the environment keeps, and {self._unknown}")
        planned = self.digests_of(name) if planned is None else planned
        return difference.compare(role, self.plan(name, role), self.answer(name), planned, part)

    def settled(self) -> bool:
        """Whether no host differs in anything, so that no role has to be carried out on any of them.

        Asked while a run is prepared. One host that differs, or is not reached, is enough for a no: what is
        done to it may make others differ. What cannot be compared is left to the role, which says why.
        """
        with self._locks["settled"]:
            if self._settled is None:
                try:
                    self._settled = self._all_same()
                except (OperatorError, PyinfraError):
                    self._settled = False
        return self._settled

    def _all_same(self) -> bool:
        first = self.ahead.hosts if self.ahead else frozenset()
        names = sorted((host.name for host in self.environment.hosts), key=lambda name: name not in first)
        for place, name in enumerate(names):
            if self.ahead and place == len(first):
                self.ahead.begin()
            if not self._same(name):
                return False
        return True

    def _same(self, name: str) -> bool:
        if not self.reaches(name):
            return False
        planned = self.digests_of(name)
        found = [self.compare(name, role, planned) for role in self.roles(name)]
        return not self.abandoned(name) and not any(part.changes or part.steps or part.notes for part in found)

    def unsettle(self) -> None:
        """Something differs that no comparison shows."""
        self._settled = False

    def again(self) -> None:
        """Everything is to be asked anew: another run changed something since."""
        self._answers.clear()
        self._settled = self.ahead = None

    @property
    def touched(self) -> bool:
        """Whether anything was changed on any host, or begun to be."""
        return self.acting or bool(self.journal.hosts) or any(self.changes.values())

    def turn(self, role: str) -> RLock:
        """Held by the one host whose daemon of this role may be down right now."""
        return self._locks[f"turn of {role}"]

    def remember(self) -> None:
        """Keep what the next run can begin with."""
        self.memory.save()
