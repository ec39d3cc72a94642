"""What a run does to each host, item by item, as it is begun and as it is done."""

from collections.abc import Iterable
from dataclasses import dataclass

from nexus.plan.desired import Change


@dataclass
class Entry:
    """One change of one item; `done` once the step that makes it has succeeded."""

    role: str
    item: str
    how: str
    done: bool = False


class Journal:
    """Changes by host, in the order in which they were begun."""

    def __init__(self) -> None:
        self.hosts: dict[str, list[Entry]] = {}

    def begin(self, host: str, role: str, changes: Iterable[Change]) -> list[Entry]:
        """Note changes that are about to be made."""
        entries = [Entry(role, change.what, change.how) for change in changes]
        if entries:
            self.hosts.setdefault(host, []).extend(entries)
        return entries

    def done(self, entries: Iterable[Entry]) -> None:
        """Note that they were made."""
        for entry in entries:
            entry.done = True

    def unfinished(self) -> dict[str, int]:
        """{host: number of changes that were begun and not noted as made}, hosts without any left out."""
        found = {host: sum(not entry.done for entry in entries) for host, entries in self.hosts.items()}
        return {host: count for host, count in found.items() if count}

    def told(self, host: str, made: Iterable[Change]) -> list[list[object]]:
        """[role, item, how, done] of all changes of a host; `made` may hold others, which no role announced."""
        entries = self.hosts.get(host, [])
        known = {(entry.item, entry.how) for entry in entries}
        found: list[list[object]] = [[entry.role, entry.item, entry.how, entry.done] for entry in entries]
        others = [change for change in made if (change.what, change.how) not in known]
        return found + [["", change.what, change.how, True] for change in others]
