"""The hosts of a run after --limit, --exclude and `--data without=`, and a check that they are enough."""

from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Any

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.run.role import Roles


def left_out(loaded: Environment, roles: Roles, inventory: Any) -> frozenset[str]:
    """Remove the hosts of `--data without=` from this run and return their names.

    OperatorError if the environment cannot work without them.
    """
    names = loaded.left_out
    roles.check_without(loaded, names)
    for name in names:
        host = inventory.hosts.pop(name)
        for members in inventory.groups.values():
            if host in members:
                members.remove(host)
    return names


def check_limit(given: Mapping[str, Any], inventory: Any) -> None:
    """Refuse --limit and --exclude if they match no host or leave no host."""
    hosts = list(inventory)
    names = ", ".join(host.name for host in hosts)

    def matches(option: str) -> set[Any]:
        found: set[Any] = set()
        for pattern in given[option] or ():
            members = inventory.groups.get(pattern) or [host for host in hosts if fnmatch(host.name, pattern)]
            if not members:
                raise OperatorError(f'--{option} "{pattern}" matches no host and no group of {names}')
            found.update(members)
        return found

    if not (matches("limit") or set(hosts)) - matches("exclude"):
        raise OperatorError(f"--limit and --exclude leave no host of {names}")
