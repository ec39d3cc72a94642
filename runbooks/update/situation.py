"""What an update asks the hosts for, before it and between visits."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from nexus.error import OperatorError
from nexus.run.role_questions import ask, ask_all
from nexus.run.row import Answers, Row
from nexus.run.run import Run
from nexus.run.runbook import carry_out
from nexus.run.side_by_side import side_by_side
from nexus.transport.host_client import HostClient
from roles.apt.host.pending import Update
from roles.apt.plan import RECORD
from runbooks.status import judge
from runbooks.update.plan import Found, Store
from runbooks.update.record import Record

HERE = Path(__file__).parent
PACKAGES, NOTE = HERE / "host/packages.py", HERE / "host/record.py"
LOOK_SECONDS = 420.0  # to fetch package lists
FILE = "update"  # of roles


class Situation:
    """A run's view of hosts that are to be updated, and of the stores on them."""

    def __init__(self, run: Run) -> None:
        self.run, self.env = run, run.environment
        if missing := [host.name for host in self.env.hosts if not run.hosts.reaches(host.name)]:
            raise OperatorError(
                f"{', '.join(missing)} is not reached, and an update looks at all hosts before it takes one out of "
                "service: bring it back online, and name hosts with --data host= or group= instead of --limit"
            )
        self.stores_by_role: dict[str, ModuleType] = run.all_roles.bringing(FILE)

    def look(self, names: Sequence[str]) -> dict[str, Found]:
        """Updates, due reboots and records of hosts."""
        context = {"fresh": int(self.env.setting.update_lists_seconds), "record": RECORD}

        def ask_host(name: str) -> dict[str, Any]:
            found: dict[str, Any] = HostClient(name).act_aside(PACKAGES, "look", context, LOOK_SECONDS)
            return found

        answers = side_by_side(ask_host, names)
        for name in names:
            if stale := answers[name]["stale"]:
                self.run.outcome.note("update", f"{name}: some package lists could not be fetched: {stale}")
        return {name: _found(answer) for name, answer in answers.items()}

    def stores(self) -> list[Store]:
        """Stores that have a leader, with the hosts that lead now."""
        found = []
        for role, module in self.stores_by_role.items():
            if members := self.run.hosts.members(role):
                found.append(Store(module.STORE, module.TITLE, tuple(members), tuple(module.leaders(self.run))))
        return found

    def module(self, store: str) -> ModuleType:
        """The file update.py of the role of a store."""
        return next(module for module in self.stores_by_role.values() if store == module.STORE)

    def alerts(self, name: str) -> list[str]:
        """Alerts about clusters that a host's absence causes."""
        modules = [module for role, module in self.stores_by_role.items() if name in self.run.hosts.members(role)]
        return [alert for module in modules for alert in getattr(module, "ALERTS", ())]

    def needed(self, name: str) -> str:
        """Why a host must not go now, empty if it may."""
        for role, module in self.stores_by_role.items():
            asks = name in self.run.hosts.members(role) and hasattr(module, "needed")
            if asks and (why := module.needed(self.run, name)):
                return f"{module.TITLE}: {why}"
        return ""

    def status(self) -> tuple[list[Row], Answers]:
        """The rows of the status, and the answers that they are made from."""
        answers = ask_all(self.run, ask)
        return judge(self.run.all_roles, self.env, answers, time.time()), answers

    def note(self, name: str, record: Record) -> None:
        """Write down on a host where it stands."""
        context: Mapping[str, Any] = {"record": RECORD, "value": record.value()}
        carry_out(self.run, name, "note where the update stands", NOTE, "write", context)


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def _found(answer: Mapping[str, Any]) -> Found:
    updates = tuple(Update(**one) for one in answer["updates"])
    return Found(updates, tuple(answer["reboot"]), Record.of(answer["record"]))
