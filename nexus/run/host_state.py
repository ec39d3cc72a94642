"""What a run knows of its hosts: their plans and their answers.

pyinfra keeps no facts, so this file keeps the answers while they are true. An answer expires when its host
changes. If hosts share a cluster, it expires when any of them changes.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
from gevent.lock import RLock
from pyinfra.api.state import StateStage
from pyinfra.context import state

from nexus.environment.environment import Environment, Host, Traits
from nexus.error import OperatorError
from nexus.plan import diff
from nexus.plan.desired import Change, Desired
from nexus.plan.diff import Answer, Differences
from nexus.run import clock
from nexus.run.last_run import Memory
from nexus.run.role import Fact, Roles
from nexus.transport.commands import Begun
from nexus.transport.host_client import HostClient

YIELD_SECONDS = 0.001  # lets connections continue while the controller plans
Learned = tuple[Mapping[str, str], Mapping[str, Any]]  # digests of images, and what the environment keeps


class HostStates:
    """Plans and answers of all hosts. Each is made or requested once, and kept while it is true."""

    def __init__(self, environment: Environment, all_roles: Roles, left_out: frozenset[str]) -> None:
        self.environment, self.all_roles, self.left_out = environment, all_roles, left_out
        environment.keeps = all_roles.keeps
        self.observes_later = False  # True: what is only observed is asked for after the changes
        self.memory = Memory(environment.name)
        self.under_way: dict[tuple[str, str], tuple[Begun, list[Change]]] = {}  # (host, role) -> begun, not yet awaited
        self._clocks: dict[str, float] = {}  # host -> seconds that its clock is ahead of this machine's clock
        self._traits: dict[str, Traits] = {}
        self._answers: dict[str, Answer] = {}
        self._plans: dict[tuple[str, str], tuple[Learned, Desired]] = {}
        self._locks: dict[str, RLock] = defaultdict(RLock)
        self._unknown = ""  # the reason why what the environment keeps is not known

    @staticmethod
    def ask(name: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return a host's answer to a request; OperatorError if it does not answer."""
        return HostClient(name).ask(request)

    @staticmethod
    def ask_source(
        name: str, source: Path, names: list[str], context: Mapping[str, Any], named: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Return the answer of a role's own probe on a host: see HostClient."""
        return HostClient(name).ask_source(source, names, context, named)

    @staticmethod
    def reaches(name: str) -> bool:
        """Return True if this run is connected to the host."""
        found = state.inventory.get_host(name, default=None)
        return found is not None and found in state.activated_hosts

    def host(self, name: str) -> Host:
        """Return a host with its traits: those of the last run, which the probe then confirms, or else requested."""
        with self._locks[f"traits of {name}"]:
            if name not in self._traits and name not in self.left_out and self.reaches(name):
                self._traits[name] = self.memory.traits(name) or Traits(**self.ask(name, {"do": "traits"}))
        return replace(self.environment.host(name), traits=self._traits.get(name))

    def plan_ahead(self, names: list[str]) -> None:
        """Compute the plans for the probes while the run connects, if the last run's memory knows all these hosts.

        If a plan cannot be made, its error is raised when the host is asked.
        """
        known = {name: traits for name in names if (traits := self.memory.traits(name))}
        if len(known) < len(names):
            return
        self._traits = {**known, **self._traits}
        for name in names:
            gevent.sleep(YIELD_SECONDS)
            with suppress(OperatorError):
                for role in self.roles(name):
                    self.plan(name, role, asking=True)

    def roles(self, name: str) -> list[str]:
        """Return the roles that concern this host."""
        return self.all_roles.of(self.environment.host(name))

    def plan(self, name: str, role: str, asking: bool = False) -> Desired:
        """Return a role's plan for a host. It is computed once, and again when its facts change.

        `asking` is for the probe only: the plan then uses what the last run learned, so that the probe need not wait
        for the answers of other hosts. `answer` asks again if that makes a difference.
        """
        learned = self._learned(role, asking)
        found = self._plans.get((name, role))
        if found is None or found[0] != learned:
            known = self.members(role) if self.needs(role, "digests") else [name]
            environment = self.environment.with_facts([self.host(member) for member in known], *learned)
            found = learned, diff.complete(self.all_roles.plan(role)(environment, environment.host(name)))
            self._plans[name, role] = found
        return found[1]

    def _learned(self, role: str, asking: bool) -> Learned:
        digests: Mapping[str, str] = {}
        kept: Mapping[str, Any] = {}
        if self.needs(role, "digests"):
            # The host that builds images is not asked meanwhile: services that use them are deployed later.
            digests = self.memory.digests if asking or self.under_way else self.digests()
        if self.needs(role, "kept"):
            kept = self.memory.kept if asking else self.kept()
        return digests, kept

    def needs(self, role: str, fact: Fact) -> bool:
        """Return True if the role's plan needs this fact."""
        return fact in self.all_roles[role].needs

    def members(self, role: str) -> list[str]:
        """Return the names of the hosts that a role concerns."""
        return [host.name for host in self.environment.hosts if role in self.all_roles.of(host)]

    def digests(self) -> Mapping[str, str]:
        """Return the digest of each service's image; empty if the host that knows them is not reached."""
        teller = self.teller("digests")
        if not teller or not self.reaches(teller):
            return {}
        self.memory.digests = self.all_roles.told("digests", self.answer(teller))[0]
        return self.memory.digests

    def teller(self, fact: Fact) -> str | None:
        """Return the host that knows a fact; None if the environment has no such host."""
        return self.all_roles.teller(fact, self.environment)

    def untold(self, role: str) -> str | None:
        """Return the host that knows the images that a role needs, if this run does not reach it; else None."""
        teller = self.teller("digests") if self.needs(role, "digests") else None
        return teller if teller and not self.reaches(teller) else None

    def kept(self) -> Mapping[str, Any]:
        """Return what the environment keeps; as the last run learned it if the host that knows it is not reached."""
        teller = self.teller("kept")
        return self._kept_by(self.answer(teller)) if teller and self.reaches(teller) else self.memory.kept

    def _kept_by(self, answer: Answer) -> Mapping[str, Any]:
        found, self._unknown = self.all_roles.told("kept", answer)
        if not self._unknown:
            self.memory.kept = found
        return self.memory.kept

    def answer(self, name: str) -> Answer:
        """Return the host's answer to the probe for everything that is planned for it."""
        with self._locks[name]:
            if name not in self._answers:
                guess = self.memory.kept
                reply = self._question(name)
                traits = Traits(**reply["traits"])
                if traits != self._traits.get(name):  # the host has changed since the last run
                    self._traits[name] = traits
                    self._plans = {
                        key: kept
                        for key, kept in self._plans.items()
                        if key[0] != name and not self.needs(key[1], "digests")
                    }
                    reply = self._question(name)
                if self.all_roles.needing("kept") & set(self.roles(name)):
                    own = name == self.teller("kept")
                    if (self._kept_by(reply) if own else self.kept()) != guess:
                        reply = self._question(name)
                now = time.time()
                self._clocks[name] = reply.get("time", now) - now  # simulated hosts have no clock
                self.memory.keep(name, traits)
                self._answers[name] = reply
        return self._answers[name]

    def _question(self, name: str) -> dict[str, Any]:
        roles = self.roles(name)
        plans = [self.plan(name, role, asking=True) for role in roles]
        asked = diff.question(plans, observed=not self.observes_later)
        return self.ask(name, asked | {"checks": self._checks(name, roles)})

    def _checks(self, name: str, roles: list[str]) -> dict[str, str]:
        """Return the preflight commands by role; empty once operations are being carried out."""
        if executing():
            return {}
        commands = {role: self.all_roles.preflight(role, self.environment, self.host(name)) for role in roles}
        return {role: command for role, command in commands.items() if command}

    def abandoned(self, name: str) -> list[str]:
        """Return the roles that left something on this host but no longer concern it."""
        return [role for role in self.answer(name)["manifest"] if role not in self.roles(name)]

    def left(self, name: str) -> list[str]:
        """Return temporary files on this host, left by a run that was killed before it put them in place."""
        found: list[str] = self.answer(name)["obstacles"]["left"]
        return found

    def unfinished(self, name: str) -> dict[str, str]:
        """Return unplanned packages that dpkg began to install or configure here but did not finish: {name: state}."""
        planned = {package for role in self.roles(name) for package in self.plan(name, role).packages}
        return {package: state for package, state in self.answer(name)["packages"].items() if package not in planned}

    def digests_of(self, name: str) -> dict[str, str]:
        """Return {path: digest} of every file that a role wants on this host."""
        plans = [self.plan(name, role) for role in self.roles(name)]
        return {item.path: item.sha256 for plan in plans for item in (*plan.early, *plan.files)}

    def drop(self, name: str, cluster: bool = False) -> None:
        """Forget a host's answer, which is no longer true; with `cluster`, the answers of all hosts."""
        if cluster:
            self.drop_all()
        else:
            self._answers.pop(name, None)

    def drop_all(self) -> None:
        """Forget all answers: each host is asked again when its answer is needed next."""
        self._answers.clear()

    def replan(self) -> None:
        """Forget all plans and answers: an input of plans, such as a secret, changed during this run."""
        self._plans.clear()
        self._answers.clear()

    def compare(
        self, name: str, role: str, planned: Mapping[str, str] | None = None, part: str = diff.WHOLE
    ) -> Differences:
        """Return the differences of one role on one host.

        A caller that compares all roles of a host passes its `digests_of` as `planned`.
        """
        if self.needs(role, "kept") and executing() and self._unknown:  # a dry run may guess, a change may not
            raise OperatorError(f"{role} depends on the settings kept in the environment: {self._unknown}")
        planned = self.digests_of(name) if planned is None else planned
        answer = self.answer(name)
        clock.check(name, self._clocks.get(name, 0.0))
        return diff.compare(role, self.plan(name, role), answer, planned, part)


def executing() -> bool:
    """Return True if operations are being carried out, not prepared."""
    return bool(state.current_stage == StateStage.Execute)
