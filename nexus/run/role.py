"""Roles as the library is handed them: whom each concerns, and what a run must know of it before it plans.

The library knows no role by name. A role's own `plan.py` holds `plan(env, host)` and what else it has to say:

- `preflight(env, host)`: a shell command that prints why the role cannot work on this host and ends with 1. It runs
  with the probe, so what it finds stops the run before anything was changed anywhere.
- `notes(env)`: what an operator should know about the role in this environment, a line each; OperatorError where the
  environment asks for what cannot be.
- `quorum(env)`: {what its members are called: names}, of a role whose hosts decide by majority and are not simply
  those of its groups.
- `check_without(env, names)`: OperatorError if the environment cannot work without these hosts.
- `lock_store(env)`, of the role that `locks`: {"endpoints": {host: ADDRESS:PORT}, "tls", "directory"} of the etcd that
  keeps the environment's lock; empty where the environment has none.
- `releases(answer)`: {service: release} of what runs, by the answer of one of its hosts.
- `teller(env)` and `told(answer)`: for a role that `tells` something, the host that does, if there is one, and what
  its answer says, as ({name: value}, why it could not be asked).

What operators ask and do across roles lies in files of the same names in every role that has something to say; a
runbook composes them and names none:

- `status.py`: `question(env, host)`, {part: context} of what this host is asked; `run_question(run, host)`, likewise
  what only a run knows of these contexts; `rows(env, answers, now)` for the table, in the order of the roles, after
  all others with `ORDER = 1`; `doors(env, host)`, ports where a daemon shows a certificate of the platform.
- `daily.py`: `question` as above; `observe(run, host)`, {part: answer} of what no host is asked for;
  `CHECKS`, {daily check: its rows} that this role alone answers; `SHARED`, likewise together with other roles.
  Where the rows of `status.py` are the answer, `CHECKS` and `SHARED` there list the names of the checks.
- `host/status.py` and `host/daily.py` answer on the host: `PARTS`, {part: function of its context}.
- `failover.py`: `STORE`, as operators name it, and `TITLE`, as people do; `switch(run, to, force)`, `rebuild(run, host,
  force)`: acts; `NO_SWITCH`, `NO_REBUILD`: why there are none; `DEFAULT` in the one that is meant when nothing is said.
- `flows.py`: who connects to the role's ports, see flow.py.
- `backup.py` and `host/backup.py`: what is saved of the role and how it comes back, see roles/backup/store.py.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from nexus.environment.environment import Environment, Host
from nexus.environment.settings import Keeps
from nexus.error import OperatorError
from nexus.plan.desired import Desired
from nexus.plan.diff import Answer

Plan = Callable[[Environment, Host], Desired]
Fact = Literal["digests", "kept"]  # of images; and what the environment itself keeps of its settings


@dataclass(frozen=True)
class Role:
    """A role of the project, apart from its plan.

    `groups` are those of the inventory whose hosts it concerns.
    `data` is where its data lies, which outlives it on a host that it no longer concerns. Such a host leaves a cluster
    last: the others have to take over first. Empty for a role that leaves with it and has none of its own.
    `essential`: where it cannot work on a host, no other role is begun there.
    `cluster`: its steps are steps of all its hosts together; half of them is not an option.
    `majority`: its hosts decide by majority. `locks`: it keeps the lock of the environment.
    `tells` and `needs` name facts that a host tells, and with which roles are planned once they are known.
    `keeps`: {kind of what the environment keeps: the setting that it adds to}.
    `shows_state`: the status compares its states with the plan; others have rows of their own, or none.
    """

    groups: tuple[str, ...]
    data: str | None = None
    essential: bool = False
    cluster: bool = False
    majority: bool = False
    locks: bool = False
    tells: Fact | None = None
    needs: frozenset[Fact] = frozenset()
    keeps: Keeps = field(default_factory=dict)
    shows_state: bool = False


class Roles(Mapping[str, Role]):
    """All roles of a project in the order in which they are applied; their modules lie below `package`."""

    def __init__(self, package: str, roles: Mapping[str, Role]) -> None:
        self.replace(package, roles)

    def replace(self, package: str, roles: Mapping[str, Role]) -> None:
        """Be the table of these roles instead, for all that have it already: a benchmark runs one role alone."""
        self.package, self._roles = package, dict(roles)

    def __getitem__(self, name: str) -> Role:
        return self._roles[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._roles)

    def __len__(self) -> int:
        return len(self._roles)

    @property
    def groups(self) -> frozenset[str]:
        """Every group of the inventory that some role concerns."""
        return frozenset(group for role in self.values() for group in role.groups)

    @property
    def keeps(self) -> Keeps:
        """{kind of what the environment keeps: the setting that it adds to}."""
        return {kind: setting for role in self.values() for kind, setting in role.keeps.items()}

    def of(self, host: Host) -> list[str]:
        """Roles that concern a host."""
        return [name for name, role in self.items() if host.groups & set(role.groups)]

    def needing(self, fact: Fact) -> frozenset[str]:
        """Roles that are planned with a fact, so again when it is known."""
        return frozenset(name for name, role in self.items() if fact in role.needs)

    def module(self, name: str, part: str = "plan") -> ModuleType:
        """A module of a role."""
        return importlib.import_module(f"{self.package}.{name}.{part}")

    def having(self, part: str) -> list[str]:
        """Roles that bring a file of this name, such as backup.py, in their order. None is imported for it."""
        found = find_spec(self.package)
        folders = [Path(folder) for folder in (found.submodule_search_locations if found else None) or ()]
        return [name for name in self if any((folder / name / f"{part}.py").is_file() for folder in folders)]

    def bringing(self, part: str) -> dict[str, ModuleType]:
        """Modules of this name by role, of the roles that have one."""
        return {name: self.module(name, part) for name in self.having(part)}

    def hosts(self, name: str, env: Environment) -> list[Host]:
        """Hosts that a role concerns, in the inventory's order."""
        return [host for host in env.hosts if host.groups & set(self[name].groups)]

    def plan(self, name: str) -> Plan:
        """The plan function of a role."""
        plan: Plan = self.module(name).plan
        return plan

    def preflight(self, name: str, env: Environment, host: Host) -> str | None:
        """The command that finds out whether a role can work on a host, if it has one."""
        found: str | None = self._hook(name, "preflight", lambda *_: None)(env, host)
        return found

    def notes(self, name: str, env: Environment) -> list[str]:
        """What an operator should know about the role in this environment."""
        return list(self._hook(name, "notes", lambda _: ())(env))

    def releases(self, name: str) -> Callable[[Answer], Mapping[str, str]] | None:
        """What tells the releases that run from the answer of a host of this role; None for roles that run none."""
        found: Callable[[Answer], Mapping[str, str]] | None = getattr(self.module(name), "releases", None)
        return found

    def teller(self, fact: Fact, env: Environment) -> str | None:
        """The host that tells a fact; None where the environment has none."""
        for name, role in self.items():
            if role.tells == fact:
                found: str | None = self.module(name).teller(env)
                return found
        return None

    def told(self, fact: Fact, answer: Answer) -> tuple[Mapping[str, Any], str]:
        """What its host's answer says of a fact, and why it could not be asked, where it could not."""
        name = next(name for name, role in self.items() if role.tells == fact)
        found: tuple[Mapping[str, Any], str] = self.module(name).told(answer)
        return found

    def lock_store(self, env: Environment) -> Mapping[str, Any]:
        """The etcd that keeps the environment's lock; empty where there is none."""
        for name, role in self.items():
            if role.locks:
                found: Mapping[str, Any] = self.module(name).lock_store(env)
                return found
        return {}

    def check_without(self, env: Environment, names: Set[str]) -> None:
        """Stop if the environment cannot do without hosts that are left out; OperatorError says why."""
        if not names:
            return
        for name in self:
            self._hook(name, "check_without", lambda *_: None)(env, names)
        for what, members in self._quorums(env).items():
            left = [member for member in members if member not in names]
            if members and len(left) * 2 <= len(members):
                raise OperatorError(
                    f"without={','.join(sorted(names))} leaves {len(left)} of {len(members)} {what} "
                    f"({', '.join(members)}), and a majority must stay. Bring one of them back online first"
                )

    def _quorums(self, env: Environment) -> dict[str, list[str]]:
        """Names of the hosts that decide by majority, by what they are called."""
        found: dict[str, list[str]] = {}
        for name, role in self.items():
            if role.majority:
                found |= {group: [host.name for host in env.group(group)] for group in role.groups}
            found |= self._hook(name, "quorum", lambda _: {})(env)
        return found

    def _hook(self, name: str, function: str, absent: Callable[..., Any]) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(self.module(name), function, absent)
        return found
