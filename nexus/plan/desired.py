"""What a host should hold, as plain data.

A role's plan returns a `Desired`, the probe answers for everything in it, and converge makes the
differences disappear. Nothing here touches a host or knows any particular role.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

from nexus.plan.comparison import Change
from nexus.plan.item import Item
from nexus.plan.kinds.absent import Absent
from nexus.plan.kinds.directory import Directory
from nexus.plan.kinds.file import File
from nexus.plan.kinds.group import Group
from nexus.plan.kinds.link import Link
from nexus.plan.kinds.package import Package
from nexus.plan.kinds.state import State
from nexus.plan.kinds.unit import Unit
from nexus.plan.kinds.user import User

__all__ = ["Change", "Desired", "Directory", "File", "Group", "Item", "Link", "State", "Unit", "User", "owner"]


def owner(source: Path) -> str:
    """The role or runbook that host-side code belongs to, from the folder that contains it."""
    return next(folder.name for folder in source.parents if folder.name != "host")


@dataclass(frozen=True)
class Desired:
    """All items that one role wants on one host."""

    early: tuple[File, ...] = ()  # written before packages: repositories, answers to package scripts
    packages: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    users: tuple[User, ...] = ()
    directories: tuple[Directory, ...] = ()
    files: tuple[File, ...] = ()
    links: tuple[Link, ...] = ()
    absent: tuple[str, ...] = ()  # paths of a package's defaults that must not be there
    units: tuple[Unit, ...] = ()
    states: tuple[State, ...] = ()
    items: tuple[Item, ...] = ()  # of any other kind

    @cached_property
    def batches(self) -> list[list[Item]]:
        """All items by kind, in the order in which they are made: early files, then by Place."""
        later: list[Item] = [*map(Package, sorted(set(self.packages))), *self.groups, *self.users, *self.directories]
        later += [*self.files, *self.links, *map(Absent, self.absent), *self.units, *self.states, *self.items]
        later.sort(key=lambda item: item.order())
        batches = [list(batch) for _, batch in groupby(later, key=lambda item: (item.order(), item.plural))]
        return [list(self.early), *batches] if self.early else batches

    @property
    def everything(self) -> list[Item]:
        """All items in that order."""
        return [item for batch in self.batches for item in batch]
