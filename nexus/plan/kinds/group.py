"""A group of accounts."""

from dataclasses import dataclass

from nexus.plan.comparison import Place
from nexus.plan.item import Item


@dataclass(frozen=True)
class Group(Item, place=Place.GROUPS, removable=True):
    """A system group."""

    name: str
