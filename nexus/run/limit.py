"""What --limit must not leave out: the other hosts of a cluster, and the one that knows the images."""

from __future__ import annotations

from nexus.error import OperatorError
from nexus.run.host_state import HostStates


def check(hosts: HostStates, role: str) -> None:
    """Refuse a step of a cluster when this run does not reach all of its hosts."""
    if not hosts.all_roles[role].cluster:
        return
    missing = [name for name in hosts.members(role) if not hosts.reaches(name) and name not in hosts.left_out]
    if missing:
        raise OperatorError(
            f"{role} is one step of all its hosts, and --limit leaves out {', '.join(missing)}: "
            "limit to layers that stand alone (deploys/base.py, data.py, edge.py), drop --limit, "
            "or go on without a dead host by --data without=NAME"
        )
    if teller := hosts.untold(role):
        raise OperatorError(
            f"{role} is planned with the images that {teller} has, and this run does not reach it: "
            "limit to other layers (deploys/base.py, data.py, edge.py), or bring it back first"
        )
