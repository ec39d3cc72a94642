"""How many hosts a cluster of stores may have."""

from nexus.environment.environment import Environment
from nexus.error import OperatorError


def majority(members: int) -> int:
    """The number of members that form a quorum."""
    return members // 2 + 1


def check_members(env: Environment, group: str) -> None:
    """Refuse an even number of hosts: it tolerates no more failures than one host less."""
    members = [host.name for host in env.group(group)]
    failures = len(members) - majority(len(members))
    if members and len(members) % 2 == 0:
        raise OperatorError(
            f"inventory of {env.name}: {group} names {len(members)} hosts ({', '.join(members)}), which tolerate "
            f"{failures} failure{'' if failures == 1 else 's'}, the same as {len(members) - 1}. Use "
            f"{len(members) - 1} or {len(members) + 1}; to continue without a dead host: --data without=NAME"
        )
