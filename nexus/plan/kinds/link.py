"""A symbolic link."""

from dataclasses import dataclass
from typing import Any

from nexus.plan.comparison import Pair, Place
from nexus.plan.kinds.path import AtPath, shown


@dataclass(frozen=True)
class Link(AtPath, place=Place.LINKS, removable=True):
    """A symbolic link at `path` that points to `target`."""

    target: str

    def difference(self, present: Any) -> str | None:
        before, after = self.words(present)
        return f"-> {self.target}" if before != after else None

    def words(self, present: Any) -> Pair:
        return shown(present), f"link to {self.target}"
