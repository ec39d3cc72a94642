"""Hosts that --limit must not exclude: the other hosts of a cluster, and the host that knows the images."""

from nexus.error import OperatorError
from nexus.run.host_state import HostStates


def excluded(hosts: HostStates, role: str) -> list[str]:
    """Return the names of a role's hosts that --limit excludes: not reached, and not left out by --data without."""
    return [name for name in hosts.members(role) if not hosts.reaches(name) and name not in hosts.left_out]


def check(hosts: HostStates, role: str) -> None:
    """Raise OperatorError if the role is a cluster and this run does not reach all hosts that it needs."""
    if not hosts.all_roles[role].cluster:
        return
    if missing := excluded(hosts, role):
        raise OperatorError(
            f"{role} must run on all of its hosts, but --limit excludes {', '.join(missing)}: "
            "limit to layers that can run alone (deploys/base.py, data.py, edge.py), drop --limit, "
            "or continue without a dead host: --data without=NAME"
        )
    if teller := hosts.untold(role):
        raise OperatorError(
            f"{role} needs to know the images on {teller}, and this run does not reach it: "
            "limit to other layers (deploys/base.py, data.py, edge.py), or bring it back online first"
        )
