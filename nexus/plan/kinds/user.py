"""A user account."""

from dataclasses import dataclass
from typing import Any

from nexus.plan.comparison import Pair, Place
from nexus.plan.item import Item


@dataclass(frozen=True)
class User(Item, place=Place.USERS, removable=True):
    """A user account: created if absent; otherwise only missing supplementary groups are added.

    `groups` are added, never taken away. `system` accounts cannot log in.
    """

    name: str
    groups: tuple[str, ...] = ()
    home: str | None = None
    shell: str = "/usr/sbin/nologin"
    system: bool = True

    def difference(self, present: Any) -> str | None:
        if present is None:
            return "is missing"
        missing = sorted(set(self.groups) - set(present))
        return f"is not in group {', '.join(missing)}" if missing else None

    def words(self, present: Any) -> Pair:
        own = set(present or ()) & set(self.groups)
        return "" if present is None else _in(own), _in(self.groups)


def _in(groups: tuple[str, ...] | set[str]) -> str:
    return f"in {', '.join(sorted(groups))}" if groups else "there"
