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
    if members and len(members) % 2 == 0:
        raise OperatorError(
            f"inventory of {env.name}: {group} names {len(members)} hosts ({', '.join(members)}), and a majority "
            f"of {len(members)} is {majority(len(members))}: one more host would be lost without harm. Name "
            f"{len(members) - 1} or {len(members) + 1} of them; to go on without a dead one: --data without=NAME"
        )
