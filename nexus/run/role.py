"""The table of roles: the hosts that each role concerns, and what a run must know of it before it plans.

The library knows no role by name. A role's `plan.py` has `plan(env, host)`, and may have these functions:

- `preflight(env, host)`: a shell command. If the role cannot work on this host, it prints the reason and exits with 1.
  It runs with the probe, so a failure stops the run before any host is changed.
- `notes(env)`: lines that an operator should read about the role in this environment; OperatorError if the environment
  asks for something impossible.
- `quorum(env)`: {what its members are called: names}, for a role whose hosts decide by majority and are not simply
  the hosts of its groups.
- `check_without(env, names)`: OperatorError if the environment cannot work without these hosts.
- `lock_store(env)`, in the role that `locks`: {"endpoints": {host: ADDRESS:PORT}, "tls", "directory"} of the etcd that
  keeps the environment's lock; empty if the environment has no such etcd.
- `releases(answer)`: {service: release} of what runs, from the answer of one of the role's hosts.
- `IN_ORDER`, not a function: packages, as regular expressions, whose daemons restart on one host after the other. No
  host updates them by itself.
- `teller(env)` and `told(answer)`, in a role that `tells` a fact: the host that knows the fact, or None; and the fact
  in its answer, as ({name: value}, the reason why it is not known).

Runbooks for all roles call files with the same name in each role that has one, and name no role:

- `status.py`: `question(env, host)`, {part: context} of the parts to ask this host for; `run_question(run, host)`, the
  same for values that only a run knows; `rows(env, answers, now)`, rows of the table in the order of the roles, or
  after all others with `ORDER = 1`; `doors(env, host)`, ports where a daemon shows a certificate of the platform.
- `daily.py`: `question` as above; `OBSERVED`, {part: function of (run, host)} for parts that no host is asked for;
  `CHECKS`, {name: check} of the daily checks that this role answers alone; `SHARED`, the same for checks shared with
  other roles. A check names the parts that it reads, see checks.py.
  If the rows of `status.py` answer a check, `CHECKS` or `SHARED` in that file lists the name of the check.
- `host/status.py` and `host/daily.py` answer on the host: `PARTS`, {part: function of its context}.
- `failover.py`: `STORE`, the store's name in arguments, and `TITLE`, its name in text; `switch(run, to, force)` and
  `rebuild(run, host, force)`, acts; `NO_SWITCH` and `NO_REBUILD`, the reason why there are none; `DEFAULT`, set in the
  store that is meant if the operator names none.
- `update.py`: what leaves a host before it is updated, for roles whose hosts depend on each other: `STORE` and `TITLE`;
  `leaders(run)`, the hosts that lead now; `move(run, host, to)`, acts that let `to` lead instead; and, if a host can be
  indispensable without leading, `needed(run, host)`, the reason or nothing. `ALERTS` are the names of those that one
  missing host causes without naming it.
- `flows.py`: connections to the role's ports, see flow.py.
- `exporters.py`: `exporters(env, host)`, the metrics of its daemons on a host, see exporter.py.
- `alerts.py`: `alerts(env)`, what operators must be told of, see alert.py.
- `panels.py`: `panels(env)`, its plots on dashboards, see roles/grafana/panel.py.
- `backup.py` and `host/backup.py`: how the role's data is saved and restored, see roles/backup/store.py.
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
Fact = Literal["digests", "kept"]  # "digests" of images; what the environment "kept" of its settings


@dataclass(frozen=True)
class Role:
    """A role of the project, apart from its plan.

    `groups`: inventory groups whose hosts the role concerns.
    `data`: the directory of its data, which stays on a host that the role no longer concerns. Such a host leaves the
    cluster last: the others must take over first. Empty if the role leaves with a store but has no data, else None.
    `essential`: if the role cannot work on a host, no other role begins there.
    `cluster`: its steps need all its hosts together; a run on some of them is refused.
    `majority`: its hosts decide by majority. `locks`: it keeps the lock of the environment.
    `tells`: the fact that one of its hosts knows. `needs`: facts that its plan depends on.
    `keeps`: {kind of what the environment keeps: the setting that it adds to}.
    `shows_state`: the status compares its states with the plan. Other roles have their own rows, or none.
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
    """All roles of a project, in the order of their deployment. Their modules are below `package`."""

    def __init__(self, package: str, roles: Mapping[str, Role]) -> None:
        self.replace(package, roles)

    def replace(self, package: str, roles: Mapping[str, Role]) -> None:
        """Replace the content of this table, also for code that already holds it: a benchmark runs a single role."""
        self.package, self._roles = package, dict(roles)

    def __getitem__(self, name: str) -> Role:
        return self._roles[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._roles)

    def __len__(self) -> int:
        return len(self._roles)

    @property
    def groups(self) -> frozenset[str]:
        """Return every inventory group that a role concerns."""
        return frozenset(group for role in self.values() for group in role.groups)

    @property
    def keeps(self) -> Keeps:
        """Return {kind of what the environment keeps: the setting that it adds to}."""
        return {kind: setting for role in self.values() for kind, setting in role.keeps.items()}

    def of(self, host: Host) -> list[str]:
        """Return the names of the roles that concern a host."""
        return [name for name, role in self.items() if host.groups & set(role.groups)]

    def needing(self, fact: Fact) -> frozenset[str]:
        """Return the roles whose plans depend on a fact: they are planned again once it is known."""
        return frozenset(name for name, role in self.items() if fact in role.needs)

    def module(self, name: str, part: str = "plan") -> ModuleType:
        """Import and return a module of a role."""
        return importlib.import_module(f"{self.package}.{name}.{part}")

    def having(self, part: str) -> list[str]:
        """Return the roles that have a file of this name, such as backup.py, in their order. Imports no role."""
        found = find_spec(self.package)
        folders = [Path(folder) for folder in (found.submodule_search_locations if found else None) or ()]
        return [name for name in self if any((folder / name / f"{part}.py").is_file() for folder in folders)]

    def bringing(self, part: str) -> dict[str, ModuleType]:
        """Return {role: module} of the roles that have a module of this name."""
        return {name: self.module(name, part) for name in self.having(part)}

    def hosts(self, name: str, env: Environment) -> list[Host]:
        """Return the hosts that a role concerns, in the inventory's order."""
        return [host for host in env.hosts if host.groups & set(self[name].groups)]

    def plan(self, name: str) -> Plan:
        """Return the plan function of a role."""
        plan: Plan = self.module(name).plan
        return plan

    def in_order(self, name: str) -> tuple[str, ...]:
        """Return the packages of a role whose daemons restart in order, as regular expressions."""
        found: tuple[str, ...] = getattr(self.module(name), "IN_ORDER", ())
        return found

    def preflight(self, name: str, env: Environment, host: Host) -> str | None:
        """Return the role's preflight command for a host; None if the role has none."""
        found: str | None = self._hook(name, "preflight", lambda *_: None)(env, host)
        return found

    def notes(self, name: str, env: Environment) -> list[str]:
        """Return the role's notes about this environment."""
        return list(self._hook(name, "notes", lambda _: ())(env))

    def releases(self, name: str) -> Callable[[Answer], Mapping[str, str]] | None:
        """Return the role's function from a host's answer to the releases that run; None if the role has none."""
        found: Callable[[Answer], Mapping[str, str]] | None = getattr(self.module(name), "releases", None)
        return found

    def teller(self, fact: Fact, env: Environment) -> str | None:
        """Return the host that knows a fact; None if the environment has no such host."""
        for name, role in self.items():
            if role.tells == fact:
                found: str | None = self.module(name).teller(env)
                return found
        return None

    def told(self, fact: Fact, answer: Answer) -> tuple[Mapping[str, Any], str]:
        """Return a fact from the answer of the host that knows it, and the reason if the fact is not known."""
        name = next(name for name, role in self.items() if role.tells == fact)
        found: tuple[Mapping[str, Any], str] = self.module(name).told(answer)
        return found

    def lock_store(self, env: Environment) -> Mapping[str, Any]:
        """Return the etcd that keeps the environment's lock; empty if there is none."""
        for name, role in self.items():
            if role.locks:
                found: Mapping[str, Any] = self.module(name).lock_store(env)
                return found
        return {}

    def check_without(self, env: Environment, names: Set[str]) -> None:
        """Raise OperatorError if the environment cannot work without these hosts."""
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
        """Return {what members are called: names of the hosts that decide by majority}."""
        found: dict[str, list[str]] = {}
        for name, role in self.items():
            if role.majority:
                found |= {group: [host.name for host in env.group(group)] for group in role.groups}
            found |= self._hook(name, "quorum", lambda _: {})(env)
        return found

    def _hook(self, name: str, function: str, absent: Callable[..., Any]) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(self.module(name), function, absent)
        return found
