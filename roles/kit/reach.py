"""Which hosts a run goes to: what --limit, --exclude and `--data without=` leave, and whether that is enough."""

from __future__ import annotations

from collections.abc import Mapping, Set
from fnmatch import fnmatch
from typing import Any

from roles.kit.environment import Environment
from roles.kit.error import OperatorError
from roles.swarm.plan import managers

QUORUM_GROUPS = ("etcd", "postgresql", "redis", "rabbitmq", "mongodb")


def left_out(loaded: Environment, inventory: Any) -> frozenset[str]:
    """Take the hosts of `--data without=` out of this run, unless a quorum would be lost with them."""
    names = loaded.left_out
    check_quorum(loaded, names)
    for name in names:
        host = inventory.hosts.pop(name)
        for members in inventory.groups.values():
            if host in members:
                members.remove(host)
    return names


def check_quorum(loaded: Environment, names: Set[str]) -> None:
    """Refuse to leave out hosts without which a cluster of this environment cannot decide anything."""
    quorums = {"swarm managers": [host.name for host in managers(loaded)] if loaded.group("app") else []}
    quorums |= {group: [host.name for host in loaded.group(group)] for group in QUORUM_GROUPS}
    if loaded.group("edge") and all(host.name in names for host in loaded.group("edge")):
        raise OperatorError(
            f"without={','.join(sorted(names))} leaves no edge host: nobody could say whether the services are "
            "healthy. Run the layers that matter instead, such as deploys/data.py, with --limit"
        )
    for what, members in quorums.items():
        left = [name for name in members if name not in names]
        if members and len(left) * 2 <= len(members):
            raise OperatorError(
                f"without={','.join(sorted(names))} leaves {len(left)} of {len(members)} {what} "
                f"({', '.join(members)}): that is no quorum. Bring one of them back first"
            )


def check_limit(given: Mapping[str, Any], inventory: Any) -> None:
    """Refuse --limit and --exclude that match nothing, or leave nothing."""
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
