"""A path that must not exist."""

from dataclasses import dataclass
from typing import Any

from nexus.plan.comparison import Pair, Place
from nexus.plan.kinds.path import AtPath, shown


@dataclass(frozen=True)
class Absent(AtPath, place=Place.ABSENT, kind="path", plural="absent"):
    """A path of a package's defaults that must not be there."""

    def difference(self, present: Any) -> str | None:
        return None if present is None else "should not be there"

    def words(self, present: Any) -> Pair:
        return shown(present), ""
