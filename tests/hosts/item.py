"""What is planned for the hosts of an environment, item by item: what the checks are made from.

An item's name stays the same from one run to the next, so that reports can be compared; what is wanted of it
is looked up when the check runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.plan import diff
from nexus.plan.desired import Desired, State
from roles.table import ROLES

HASH = re.compile(r"^((?:config|secret) .+)-[0-9a-f]{10}$")  # configs and secrets are named by their content


@dataclass(frozen=True)
class Item:
    """One planned thing: `kind` is that of nexus/plan/kinds/, or the name of a state, as "rabbitmq users"."""

    host: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.host}-{self.name}"


def plans(env: Environment, host: Host, roles: Iterable[str] | None = None) -> dict[str, Desired]:
    """Plan of each role of a host (or of these roles), with what the library itself adds."""
    wanted = ROLES.of(host) if roles is None else roles
    return {role: diff.complete(ROLES.plan(role)(env, host)) for role in wanted}


def items(host: Host, planned: Iterable[Desired]) -> dict[Item, Any]:
    """Every planned item of a host and what is wanted of it."""
    return {Item(host.name, kind, name): wanted for plan in planned for kind, name, wanted in _items(plan)}


def real_name(name: str) -> str:
    """An item's name without the part that follows from its content."""
    match = HASH.match(name)
    return match[1] if match else name


def _items(plan: Desired) -> Iterator[tuple[str, str, Any]]:
    for item in plan.everything:
        if isinstance(item, State):
            for name, wanted in item.items.items():
                yield item.name, real_name(name), {"name": name, **wanted}
        else:
            yield type(item).__name__.lower(), item.key, item
