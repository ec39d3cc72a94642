"""A package of the distribution."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nexus.plan.comparison import Differences, Pair, Place, Step
from nexus.plan.item import Item
from nexus.plan.kinds.unit import Unit


@dataclass(frozen=True)
class Package(Item, place=Place.PACKAGES):
    """A package that is installed. It stays when it is no longer planned: others may need it."""

    name: str

    @classmethod
    def steps(cls, requests: Sequence[Step], found: Differences) -> Sequence[Step]:
        """Files that were written before may name a repository, or configure how a package's daemon starts."""
        update = bool(found.steps)
        return [*Unit.reread(found), *({**step, "update": update} for step in super().steps(requests, found))]

    def difference(self, present: Any) -> str | None:
        return None if present == "installed" else present or "is not installed"

    def words(self, present: Any) -> Pair:
        return present or "", "installed"
