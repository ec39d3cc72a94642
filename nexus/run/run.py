"""One run: its environment, what it knows of its hosts, and its outcome."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from gevent.lock import RLock
from pyinfra.api.exceptions import PyinfraError

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.plan import obstacle
from nexus.run import limit
from nexus.run.host_state import HostStates
from nexus.run.outcome import Outcome
from nexus.run.role import Roles


class Run:
    """One invocation of pyinfra. There is one per process: `current_run()`."""

    def __init__(
        self,
        environment: Environment,
        all_roles: Roles,
        left_out: frozenset[str] = frozenset(),
        given: Mapping[str, str] | None = None,
        dry: bool = False,
    ) -> None:
        self.environment, self.all_roles, self.left_out = environment, all_roles, left_out
        self.given = dict(given or {})  # arguments as the operator typed them: see arguments.py
        self.dry = dry  # whether it only shows what it would do
        self.started = time.monotonic()
        self.hosts = HostStates(environment, all_roles, left_out)
        self.outcome = Outcome()
        self.planned: dict[str, set[str]] = defaultdict(set)  # roles that this run converges, by host
        self.reading: set[str] = set()  # operations that change nothing
        self.journaled: set[str] = set()  # operations that write their changes to the journal
        self.report: Callable[[Run], int] | None = None  # called in place of operations; returns the exit status
        self._noted: set[str] = set()
        self._settled: bool | None = None
        self._turns: dict[str, RLock] = defaultdict(RLock)

    def prepare(self, name: str, role: str) -> None:
        """Probe the host, and raise OperatorError for what the role cannot do, before any host is changed."""
        hosts = self.hosts
        limit.check(hosts, role)
        checks = hosts.answer(name)["checks"]
        essential = [known for known, about in self.all_roles.items() if about.essential]
        if reason := next((checks[known] for known in (*essential, role) if checks.get(known)), ""):
            raise OperatorError(f"{name}: {role} cannot be deployed: {reason}")
        obstacle.check(name, role, hosts.plan(name, role), hosts.answer(name), partial(hosts.compare, name, role))
        self.refuse_obstacles(name, role)
        if role not in self._noted:
            self._noted.add(role)
            kept = hosts.kept() if hosts.needs(role, "kept") else {}
            environment = self.environment.with_facts([hosts.host(member) for member in hosts.members(role)], {}, kept)
            for note in self.all_roles.notes(role, environment):
                self.outcome.note(role, note)

    def refuse_obstacles(self, name: str, role: str) -> None:
        """Raise OperatorError with the obstacles of all hosts if a state of this role on this host has one."""
        if obstacle.of_states(self.hosts.plan(name, role), self.hosts.answer(name)):
            raise OperatorError("\n".join(self.obstacles()))

    def environment_now(self) -> Environment:
        """Return the environment with what it keeps now; as the last run learned it if the host that knows it fails."""
        try:
            kept = self.hosts.kept()
        except (OperatorError, PyinfraError):
            kept = self.hosts.memory.kept
        return self.environment.with_facts([], {}, kept)

    def nothing_to_do(self) -> bool:
        """Return True if no host has any difference, so that no role needs any step.

        Called while a run is prepared. One host that differs or is not reached makes it False: steps there may make
        other hosts differ. If a comparison fails, it is also False: the role then reports the error.
        """
        with self._turns["settled"]:
            if self._settled is None:
                try:
                    self._settled = all(self.same(host.name) for host in self.environment.hosts)
                except (OperatorError, PyinfraError):
                    self._settled = False
        return self._settled

    def same(self, name: str) -> bool:
        """Return True if a host is reached and has no differences and no leftovers of earlier roles and runs."""
        hosts = self.hosts
        if not hosts.reaches(name):
            return False
        planned = hosts.digests_of(name)
        found = [hosts.compare(name, role, planned) for role in hosts.roles(name)]
        if hosts.abandoned(name) or hosts.left(name) or hosts.unfinished(name):
            return False
        return not any(part.changes or part.steps or part.notes or part.told for part in found)

    def obstacles(self) -> list[str]:
        """Return the obstacles of all reached hosts: "HOST: ROLE: what is wrong, and how to end it"."""
        hosts = self.hosts
        reached = [host.name for host in self.environment.hosts if hosts.reaches(host.name)]
        pairs = [(name, role) for name in reached for role in hosts.roles(name)]
        found = [(name, role, obstacle.of_states(hosts.plan(name, role), hosts.answer(name))) for name, role in pairs]
        return [f"{name}: {role}: {text}" for name, role, told in found for text in told]

    def mark_changed(self) -> None:
        """Record that this run may change something that no comparison shows."""
        self._settled = False

    def refresh(self) -> None:
        """Forget all answers, so that hosts are asked again: another run has changed something."""
        self.hosts.drop_all()
        self._settled = None

    def turn(self, role: str) -> RLock:
        """Return the lock that a host holds while its daemon of this role may be down: one host at a time."""
        return self._turns[f"turn of {role}"]


@dataclass(frozen=True)
class LocalRun:
    """A run on this machine alone (`pyinfra @local`), which has arguments and no environment."""

    given: Mapping[str, str] = field(default_factory=dict)


_current: Run | LocalRun | None = None


def start(run: Run | LocalRun) -> None:
    """Make this the run of the process."""
    global _current
    _current = run


def current_run() -> Run:
    """Return the run of this process; OperatorError if pyinfra was started without an environment."""
    if run := begun():
        return run
    raise OperatorError("this deploy needs an environment: write `pyinfra inventory DEPLOY` for the one in NEXUS_ENV")


def begun() -> Run | None:
    """Return the run of this process; None if pyinfra was started without an environment."""
    return None if isinstance(_current, LocalRun) else _current


def running() -> Run | LocalRun:
    """Return the run of this process, be it one of this machine alone; OperatorError if there is none."""
    return _current or current_run()
