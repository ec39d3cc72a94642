"""One run: its environment, the plans of its hosts, and what the hosts answered.

pyinfra keeps no facts, so the answers are kept here for as long as they are true: until something
changed on the host, or, where hosts share a cluster, on any of them.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gevent.lock import RLock
from pyinfra import logger
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.state import StateStage
from pyinfra.context import state

from roles.kit import difference, limit
from roles.kit.asking import Asking
from roles.kit.difference import Answer, Differences
from roles.kit.environment import Environment, Host, Traits
from roles.kit.error import OperatorError
from roles.kit.journal import Journal
from roles.kit.memory import Memory
from roles.kit.model import Change, Desired
from roles.kit.transport import Begun
from roles.plans import KEEPING, PINNED, keeper_of, notes_of, plan_of, preflight_of, roles_of


class _Missing:
    """Stands for the run of a deploy that was started without an environment."""

    def __get__(self, instance: object, owner: type[Run]) -> Run:
        raise OperatorError(
            "this deploy needs an environment: write `pyinfra inventory DEPLOY` for the one in NEXUS_ENV"
        )


Learned = tuple[Mapping[str, str], Mapping[str, Any]]  # digests of images, and what the environment keeps


def begun() -> Run | None:
    """The run of this process; None where pyinfra was started without an environment."""
    try:
        return Run.current
    except OperatorError:
        return None


class Run(Asking):
    """What one invocation of pyinfra knows. There is one per process: `Run.current`."""

    current: Run = _Missing()  # type: ignore[assignment]

    def __init__(self, environment: Environment, left_out: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.environment = environment
        self.left_out = left_out
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
        self.missed: int | None = None  # targets that a report found missed
        self.health: dict[str, str] | None = None  # service -> "" or why it is not healthy
        self.logs: dict[str, list[str]] = {}
        self.under_way: dict[tuple[str, str], tuple[Begun, list[Change]]] = {}  # by host and role: waited for later
        self.memory = Memory(environment.name)
        self._traits: dict[str, Traits] = {}
        self._answers: dict[str, Answer] = {}
        self._plans: dict[tuple[str, str], tuple[Learned, Desired]] = {}
        self._locks: dict[str, RLock] = defaultdict(RLock)
        self._noted: set[str] = set()
        self._settled: bool | None = None
        self._unknown = ""  # why the environment could not be asked what it keeps

    def host(self, name: str) -> Host:
        """A host with its traits: as they were in the last run, which the probe then confirms, or asked for."""
        with self._locks[f"traits of {name}"]:
            if name not in self._traits and name not in self.left_out and self.reaches(name):
                self._traits[name] = self.memory.traits(name) or Traits(**self.ask(name, {"do": "traits"}))
        return replace(self.environment.host(name), traits=self._traits.get(name))

    def roles(self, name: str) -> list[str]:
        """Roles that concern this host."""
        return roles_of(self.environment.host(name))

    def plan(self, name: str, role: str, asking: bool = False) -> Desired:
        """What a role wants of a host; computed once, or again when image digests became known.

        `asking` is for the question to a host alone, which begins with what the last run learned: nobody
        has to wait for other hosts to be asked. `answer` asks again where it matters.
        """
        learned = self._learned(role, asking)
        found = self._plans.get((name, role))
        if found is None or found[0] != learned:
            known = self.members(role) if role in PINNED else [name]
            environment = self.environment.seen([self.host(member) for member in known], *learned)
            found = learned, difference.complete(plan_of(role)(environment, environment.host(name)))
            self._plans[name, role] = found
        return found[1]

    def _learned(self, role: str, asking: bool) -> Learned:
        digests: Mapping[str, str] = {}
        kept: Mapping[str, Any] = {}
        if role in PINNED:
            # While images are built their host is not asked: what is planned with them is only laid down later.
            digests = self.memory.digests if asking or self.under_way else self.digests()
        if role in KEEPING:
            kept = self.memory.kept if asking else self.kept()
        return digests, kept

    def members(self, role: str) -> list[str]:
        """Hosts that a role concerns."""
        return [host.name for host in self.environment.hosts if role in roles_of(host)]

    def digests(self) -> Mapping[str, str]:
        """Digest of each service's image, as the registry's host answered."""
        ops = self.environment.group("ops")
        if not ops or not self.reaches(ops[0].name):
            return {}
        items = self.answer(ops[0].name)["states"].get("image", {}).get("items", {})
        self.memory.digests = {
            name.removeprefix("image "): item["digest"] for name, item in items.items() if item.get("digest")
        }
        return self.memory.digests

    def kept(self) -> Mapping[str, Any]:
        """What the environment keeps, as a manager answered; as the last run learned it where none is reached."""
        keeper = keeper_of(self.environment)
        return self._kept_by(self.answer(keeper)) if keeper and self.reaches(keeper) else self.memory.kept

    def _kept_by(self, answer: Answer) -> Mapping[str, Any]:
        found = answer["states"].get("kept", {"items": {}})
        self._unknown = found.get("error", "")
        if not self._unknown:
            self.memory.kept = found["items"]
        return self.memory.kept

    def answer(self, name: str) -> Answer:
        """What the host said about everything that is planned for it."""
        with self._locks[name]:
            if name not in self._answers:
                guess = self.memory.kept
                reply = self._question(name)
                traits = Traits(**reply["traits"])
                if traits != self._traits.get(name):  # the host is no longer what the last run remembers
                    self._traits[name] = traits
                    self._plans = {
                        key: kept
                        for key, kept in self._plans.items()
                        if key[0] != name and key[1] not in PINNED
                    }
                    reply = self._question(name)
                if KEEPING & set(self.roles(name)):
                    own = name == keeper_of(self.environment)
                    if (self._kept_by(reply) if own else self.kept()) != guess:
                        reply = self._question(name)
                self.memory.keep(name, traits)
                self._answers[name] = reply
        return self._answers[name]

    def _question(self, name: str) -> dict[str, Any]:
        roles = self.roles(name)
        plans = [self.plan(name, role, asking=True) for role in roles]
        return self.ask(name, difference.question(plans) | {"checks": self._checks(name, roles)})

    def _checks(self, name: str, roles: list[str]) -> dict[str, str]:
        """Preflight commands by role; none once the run carries things out."""
        if self.executing():
            return {}
        commands = {role: preflight_of(role, self.environment, self.host(name)) for role in roles}
        return {role: command for role, command in commands.items() if command}

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

    def digests_of(self, name: str) -> dict[str, str]:
        """Digest of every file that some role wants on this host, by path."""
        plans = [self.plan(name, role) for role in self.roles(name)]
        return {item.path: item.sha256 for plan in plans for item in (*plan.early, *plan.files)}

    def settled(self) -> bool:
        """Whether no host differs in anything, so that no role has to be carried out on any of them.

        Asked while a run is prepared. One host that differs, or is not reached, is enough for a no: what is
        done to it may make others differ. What cannot be compared is left to the role, which says why.
        """
        with self._locks["settled"]:
            if self._settled is None:
                try:
                    self._settled = all(self._same(host.name) for host in self.environment.hosts)
                except (OperatorError, PyinfraError):
                    self._settled = False
        return self._settled

    def _same(self, name: str) -> bool:
        if not self.reaches(name):
            return False
        planned = self.digests_of(name)
        found = [self.compare(name, role, planned) for role in self.roles(name)]
        return not self.abandoned(name) and not any(part.changes or part.steps or part.notes for part in found)

    def replan(self) -> None:
        """Plan and ask anew: what plans are made from, such as secrets, has changed within this run."""
        self._plans.clear()
        self._answers.clear()

    def unsettle(self) -> None:
        """Something differs that no comparison shows."""
        self._settled = False

    def again(self) -> None:
        """Everything is to be asked anew: another run changed something since."""
        self._answers.clear()
        self._settled = None

    def abandoned(self, name: str) -> list[str]:
        """Roles that left something on this host and concern it no longer."""
        return [role for role in self.answer(name)["manifest"] if role not in self.roles(name)]

    @property
    def touched(self) -> bool:
        """Whether anything was changed on any host, or begun to be."""
        return self.acting or bool(self.journal.hosts) or any(self.changes.values())

    def drop(self, name: str, cluster: bool = False) -> None:
        """Forget an answer that is no longer true."""
        if cluster:
            self._answers.clear()
        else:
            self._answers.pop(name, None)

    def turn(self, role: str) -> RLock:
        """Held by the one host whose daemon of this role may be down right now."""
        return self._locks[f"turn of {role}"]

    def remember(self) -> None:
        """Keep what the next run can begin with."""
        self.memory.save()

    def executing(self) -> bool:
        """Whether operations are being carried out, as opposed to prepared."""
        return bool(state.current_stage == StateStage.Execute)
