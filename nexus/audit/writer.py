"""A run's lines in the audit record: one before its first change, one when it has ended."""

import time
from collections.abc import Mapping
from typing import Any

from pyinfra import logger
from pyinfra.api.exceptions import PyinfraError

from nexus.audit.storage import SOURCE, exchange, places, second
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.lock.lease import Lease
from nexus.run import host_wide
from nexus.run.plan_document import plan_hash
from nexus.run.run import Run
from nexus.transport.host_client import HostClient, first_reached
from nexus.workstation import checkout


class Writer:
    """Writes what one run does to the record of its environment."""

    def __init__(self, run: Run, state: Any, lease: Lease) -> None:
        self._run, self._state, self._lease = run, state, lease
        self._began = time.time()
        self._place, self._second = "", ""
        self._services: dict[str, str] = {}

    def begin(self, about: Mapping[str, Any]) -> None:
        """Record who is about to change what; `about` is the result of `plans`.

        Raises OperatorError if the record cannot be written: without a record nothing is changed.
        """
        self._place = _reached(self._run.environment)
        self._services = releases(self._run)
        intended = host_wide.intended(self._run)
        line = {
            **self._line("begin"),
            **{key: self._lease.holder[key] for key in ("who", "process", "purpose")},
            "number": self._lease.number,
            "environment": self._run.environment.name,
            "release": str(self._run.environment.setting.get("release", "")),
            "services": self._services,
            "intended": {
                name: [[role, change.what, change.how] for role, change in changes]
                for name, changes in intended.items()
            },
            **about,
        }
        begun = HostClient(self._place).act_aside(SOURCE, "begin", self._context(line))
        for dead in begun["dead"]:
            logger.warning(f"    record: the run of {dead['who']} at {_when(dead['time'])} died before it ended")
        self._second = self._begun_too(second(self._run.environment, self._place), line, begun["last"])

    def end(self, outcome: str, ask: bool = True) -> None:
        """Record the outcome. A line that cannot be written is reported but not fatal: the changes are made.

        Without `ask` no host is asked which releases run now: a host that carries out a step answers after its end.
        """
        line = {
            **self._line("end"),
            "outcome": outcome,
            "seconds": round(time.time() - self._began, 1),
            "changes": {
                name: self._run.outcome.journal.told(name, self._run.outcome.changes.get(name, ()))
                for name in dict.fromkeys([*self._run.outcome.journal.hosts, *self._run.outcome.changes])
            },
            "commands": self._commands(),
        }
        try:
            line["services"] = self._after() if ask else {}
        except PyinfraError as error:  # a failed run may have left hosts that do not answer
            line["services"], line["unknown"] = {}, str(error)
        try:
            HostClient(self._place).act_aside(SOURCE, "end", self._context(line))
        except OperatorError as error:
            logger.error(f"    record: the end of this run could not be recorded: {error}")
        try:
            if self._second:
                HostClient(self._second).act_aside(SOURCE, "end", {"line": line})
        except OperatorError as error:
            logger.warning(f"    record: {self._second} has no copy of the end of this run: {error}")

    def _begun_too(self, name: str, line: dict[str, Any], last: float) -> str:
        """The host of the second copy once it has all lines; empty, after saying why, if it cannot keep them now.

        `last` is the time of the line before on the first host. If both have the same, one request is enough.
        """
        try:
            if name:
                own = HostClient(name).act_aside(SOURCE, "begin", {"line": line, "after": last})["last"]
                if own != last:
                    exchange({self._place: last, name: own})  # also gives it this run's line
        except OperatorError as error:
            logger.warning(f"    record: {name} gets no copy of it in this run, a later one catches up: {error}")
            return ""
        return name

    def _context(self, line: dict[str, Any]) -> dict[str, Any]:
        return {"line": line, "metrics": str(self._run.environment.setting.record_metrics_directory)}

    def _line(self, event: str) -> dict[str, Any]:
        return {"event": event, "run": self._lease.holder["token"], "time": time.time()}

    def _after(self) -> dict[str, str]:
        """Releases that have changed; hosts are asked again only if a service was touched."""
        roles = {entry.role for entries in self._run.outcome.journal.hosts.values() for entry in entries}
        if not any(map(self._run.all_roles.releases, roles & set(self._run.all_roles))) and not self._commands():
            return {}
        now = releases(self._run)
        return {name: text for name, text in now.items() if self._services.get(name) != text} | {
            name: "" for name in self._services if name not in now
        }

    def _commands(self) -> dict[str, list[str]]:
        """Operations that belong to no role, by host, if their commands were carried out."""
        found: dict[str, list[str]] = {}
        for host in self._state.activated_hosts:
            for key, data in self._state.ops[host].items():
                meta = data.operation_meta
                if key in self._run.journaled | self._run.reading or not meta.is_complete() or not meta.executed:
                    continue
                found.setdefault(host.name, []).extend(sorted(self._state.get_op_meta(key).names))
        return found


def releases(run: Run) -> dict[str, str]:
    """Release of every service that runs, with the beginning of its image's digest: "2.4.1@3f2c81d05a17"."""
    found: dict[str, str] = {}
    for role in run.all_roles:
        if releases_of := run.all_roles.releases(role):
            for name in filter(run.hosts.reaches, run.hosts.members(role)):
                found |= releases_of(run.hosts.answer(name))
    return found


def plans(run: Run) -> dict[str, Any]:
    """{"plan", "commit", "dirty"} of a run: the hash of its plan, and its checkout."""
    return {"plan": plan_hash(run), **checkout()}


def _reached(env: Environment) -> str:
    """The first reachable host that may keep the record."""
    what = f"must keep the record of {env.name}, without which nothing is changed"
    return first_reached(places(env), what)


def _when(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
