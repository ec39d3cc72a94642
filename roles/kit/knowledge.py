"""What a run knows: the plans of its hosts, and what the hosts answered.

pyinfra keeps no facts, so the answers are kept here for as long as they are true: until something
changed on the host, or, where hosts share a cluster, on any of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from gevent.lock import RLock
from pyinfra.api.state import StateStage
from pyinfra.context import state

from roles.kit import difference
from roles.kit.asking import Asking
from roles.kit.difference import Answer
from roles.kit.environment import Environment, Host, Traits
from roles.kit.error import OperatorError
from roles.kit.memory import Memory
from roles.kit.model import Change, Desired
from roles.kit.transport import Begun
from roles.plans import KEEPING, PINNED, keeper_of, plan_of, preflight_of, roles_of

Learned = tuple[Mapping[str, str], Mapping[str, Any]]  # digests of images, and what the environment keeps


class Knowledge(Asking):
    """Plans and answers of all hosts, each made or asked for once, as long as it is true."""

    def __init__(self, environment: Environment, left_out: frozenset[str]) -> None:
        super().__init__()
        self.environment = environment
        self.left_out = left_out
        self.observes_later = False  # whether what is only observed is asked once everything else is done
        self.memory = Memory(environment.name)
        self.under_way: dict[tuple[str, str], tuple[Begun, list[Change]]] = {}  # by host and role: waited for later
        self._traits: dict[str, Traits] = {}
        self._answers: dict[str, Answer] = {}
        self._plans: dict[tuple[str, str], tuple[Learned, Desired]] = {}
        self._locks: dict[str, RLock] = defaultdict(RLock)
        self._unknown = ""  # why the environment could not be asked what it keeps

    def host(self, name: str) -> Host:
        """A host with its traits: as they were in the last run, which the probe then confirms, or asked for."""
        with self._locks[f"traits of {name}"]:
            if name not in self._traits and name not in self.left_out and self.reaches(name):
                self._traits[name] = self.memory.traits(name) or Traits(**self.ask(name, {"do": "traits"}))
        return replace(self.environment.host(name), traits=self._traits.get(name))

    def foresee(self, names: list[str]) -> Iterator[str]:
        """Plan what hosts will be asked before they are connected, if the last run has left what that takes.

        Yields after each host. A plan that cannot be made is told of when its host is asked.
        """
        known = {name: traits for name in names if (traits := self.memory.traits(name))}
        if len(known) < len(names):
            return
        self._traits = {**known, **self._traits}
        for name in names:
            with suppress(OperatorError):
                for role in self.roles(name):
                    self.plan(name, role, asking=True)
            yield name

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
        asked = difference.question(plans, observed=not self.observes_later)
        return self.ask(name, asked | {"checks": self._checks(name, roles)})

    def _checks(self, name: str, roles: list[str]) -> dict[str, str]:
        """Preflight commands by role; none once the run carries things out."""
        if self.executing():
            return {}
        commands = {role: preflight_of(role, self.environment, self.host(name)) for role in roles}
        return {role: command for role, command in commands.items() if command}

    def abandoned(self, name: str) -> list[str]:
        """Roles that left something on this host and concern it no longer."""
        return [role for role in self.answer(name)["manifest"] if role not in self.roles(name)]

    def digests_of(self, name: str) -> dict[str, str]:
        """Digest of every file that some role wants on this host, by path."""
        plans = [self.plan(name, role) for role in self.roles(name)]
        return {item.path: item.sha256 for plan in plans for item in (*plan.early, *plan.files)}

    def drop(self, name: str, cluster: bool = False) -> None:
        """Forget an answer that is no longer true."""
        if cluster:
            self._answers.clear()
        else:
            self._answers.pop(name, None)

    def replan(self) -> None:
        """Plan and ask anew: what plans are made from, such as secrets, has changed within this run."""
        self._plans.clear()
        self._answers.clear()

    def executing(self) -> bool:
        """Whether operations are being carried out, as opposed to prepared."""
        return bool(state.current_stage == StateStage.Execute)
