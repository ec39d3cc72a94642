"""How many hosts a cluster of stores may have."""

from __future__ import annotations

from nexus.environment.environment import Environment
from nexus.error import OperatorError


def majority(members: int) -> int:
    """How many of these members decide for all."""
    return members // 2 + 1


def check_members(env: Environment, group: str) -> None:
    """Refuse a group of two or four hosts: it does not outlive the loss of more of them than one or three do."""
    members = [host.name for host in env.group(group)]
    failures = len(members) - majority(len(members))
    if members and len(members) % 2 == 0:
        raise OperatorError(
            f"inventory of {env.name}: {group} names {len(members)} hosts ({', '.join(members)}), which tolerate "
            f"{failures} failure{'' if failures == 1 else 's'}, the same as {len(members) - 1}. Use "
            f"{len(members) - 1} or {len(members) + 1}; to continue without a dead host: --data without=NAME"
        )
