"""What is planned for the hosts of an environment, item by item: what the checks are made from.

An item's name stays the same from one run to the next, so that reports can be compared; what is wanted of it
is looked up when the check runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from roles.kit import difference
from roles.kit.environment import Environment, Host
from roles.kit.model import Desired
from roles.plans import plan_of, roles_of

HASH = re.compile(r"^(secret .+)-[0-9a-f]{10}$")  # Docker secrets are named by their content


@dataclass(frozen=True)
class Item:
    """One planned thing: `kind` is file, unit, ... or the name of a state, as "rabbitmq users"."""

    host: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.host}-{self.name}"


def plans(env: Environment, host: Host, roles: Iterable[str] | None = None) -> dict[str, Desired]:
    """Plan of each role of a host (or of these roles), with what the kit itself adds."""
    wanted = roles_of(host) if roles is None else roles
    return {role: difference.complete(plan_of(role)(env, host)) for role in wanted}


def items(host: Host, planned: Iterable[Desired]) -> dict[Item, Any]:
    """Every planned item of a host and what is wanted of it."""
    return {Item(host.name, kind, name): wanted for plan in planned for kind, name, wanted in _items(plan)}


def real_name(name: str) -> str:
    """An item's name without the part that follows from a secret's content."""
    match = HASH.match(name)
    return match[1] if match else name


def _items(plan: Desired) -> Iterator[tuple[str, str, Any]]:
    for file in (*plan.early, *plan.files):
        yield "file", file.path, file
    for directory in plan.directories:
        yield "directory", directory.path, directory
    for link in plan.links:
        yield "link", link.path, link
    for path in plan.absent:
        yield "absent", path, path
    for package in plan.packages:
        yield "package", package, package
    for group in plan.groups:
        yield "group", group.name, group
    for user in plan.users:
        yield "user", user.name, user
    for unit in plan.units:
        yield "unit", unit.name, unit
    for state in plan.states:
        for name, wanted in state.items.items():
            yield state.name, real_name(name), {"name": name, **wanted}
