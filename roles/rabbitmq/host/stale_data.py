"""Data of a cluster that has removed this node: the broker would not start with it, so it is moved aside and kept.

This happens only while the broker does not run, and only if a node of the cluster confirms the removal.
"""

import contextlib
import os
import re
import time
from collections.abc import Mapping
from typing import Any

from nexus.agent.change import Change
from nexus.agent.file import read_text
from nexus.agent.lib import RemoteError, run
from nexus.agent.systemd import units
from nexus.agent.wait import tries
from roles.rabbitmq.host.membership import ask

Item = Mapping[str, Any]
HOME = "/var/lib/rabbitmq"
PATIENCE_SECONDS = 60  # for a node that can say whether this one is still a member: longer than its start takes


def probe(names: list[str], context: Item) -> dict[str, dict[str, Any]]:
    """Whether the broker can start with the data here; nothing if no node can say."""
    if runs() or not companions(context):
        return {"data": {"usable": True}}
    told = expelled(context)
    return {} if told is None else {"data": {"usable": not told}}


def apply(change: Change) -> None:
    """Move the data aside if the broker cannot start with it."""
    context = change.context
    if companions(context) and not runs() and told_so(context):
        kept = f"{HOME}/left.{time.strftime('%Y%m%d%H%M%S')}"
        os.rename(place(context), kept)
        print(f"the cluster had removed {context['node']}; its old data is kept in {kept}")


def told_so(context: Item) -> bool:
    """Whether a node says that this one was removed; wait for a node that is about to start."""
    for _ in tries(PATIENCE_SECONDS, pause=1):
        if (told := expelled(context)) is not None:
            return told
    return False


def runs(unit: str = "rabbitmq-server") -> bool:
    """Whether a unit is active: the broker's, or another one."""
    return bool(units([unit])[unit]["ActiveState"] in ("active", "reloading"))


def place(context: Item) -> str:
    """Where the node keeps its data."""
    return f"{HOME}/mnesia/{context['node']}"


def companions(context: Item) -> list[str]:
    """Other nodes of the cluster that this one was a member of when it last ran."""
    nodes = re.findall(r"rabbit@[\w.-]+", read_text(f"{place(context)}/cluster_nodes.config"))
    return sorted(set(nodes) - {context["node"]})


def expelled(context: Item) -> bool | None:
    """Whether a planned node that runs no longer knows this one; None if none can be asked."""
    try:
        for node in context["there"]:
            if node != context["node"]:
                with contextlib.suppress(RemoteError):
                    return context["node"] not in ask(node)[0]
        return None
    finally:
        if not runs("epmd.socket"):  # a question starts a port mapper, which would block the unit's
            with contextlib.suppress(RemoteError):
                run(["epmd", "-kill"])
