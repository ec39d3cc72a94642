"""What --limit must not leave out: the other hosts of a cluster, and the one that knows the images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roles.kit.error import OperatorError
from roles.plans import CLUSTER, PINNED

if TYPE_CHECKING:
    from roles.kit.run import Run


def check(run: Run, role: str) -> None:
    """Refuse a step of a cluster when this run does not reach all of its hosts."""
    if role not in CLUSTER:
        return
    missing = [
        name for name in run.members(role) if not run.reaches(name) and name not in run.left_out
    ]
    if missing:
        raise OperatorError(
            f"{role} is one step of all its hosts, and --limit leaves out {', '.join(missing)}: "
            "limit to layers that stand alone (deploys/base.py, data.py, edge.py), drop --limit, "
            "or go on without a dead host by --data without=NAME"
        )
    registry = run.environment.group("ops")[:1]
    if role in PINNED and registry and not run.reaches(registry[0].name):
        raise OperatorError(
            f"{role} is planned with the images that {registry[0].name} has, and this run does not reach it: "
            "limit to other layers (deploys/base.py, data.py, edge.py), or bring it back first"
        )
