"""The changes that a run began and made on each host, item by item."""

from collections.abc import Iterable
from dataclasses import dataclass

from nexus.plan.desired import Change


@dataclass
class Entry:
    """One change of one item; `done` is set once its step has succeeded."""

    role: str
    item: str
    how: str
    done: bool = False


class Journal:
    """Changes by host, in the order in which they were begun."""

    def __init__(self) -> None:
        self.hosts: dict[str, list[Entry]] = {}

    def begin(self, host: str, role: str, changes: Iterable[Change]) -> list[Entry]:
        """Add changes that are about to be made, and return their entries."""
        entries = [Entry(role, change.what, change.how) for change in changes]
        if entries:
            self.hosts.setdefault(host, []).extend(entries)
        return entries

    def done(self, entries: Iterable[Entry]) -> None:
        """Mark these entries as done."""
        for entry in entries:
            entry.done = True

    def unfinished(self) -> dict[str, int]:
        """Return {host: number of changes begun but not done}, without hosts that have none."""
        found = {host: sum(not entry.done for entry in entries) for host, entries in self.hosts.items()}
        return {host: count for host, count in found.items() if count}

    def told(self, host: str, made: Iterable[Change]) -> list[list[object]]:
        """Return [role, item, how, done] for all changes of a host, also for those in `made` that no role began."""
        entries = self.hosts.get(host, [])
        known = {(entry.item, entry.how) for entry in entries}
        found: list[list[object]] = [[entry.role, entry.item, entry.how, entry.done] for entry in entries]
        others = [change for change in made if (change.what, change.how) not in known]
        return found + [["", change.what, change.how, True] for change in others]
