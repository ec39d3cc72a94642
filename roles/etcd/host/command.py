"""Runs on the host of etcd's leader: hands leadership over. Standard library only."""

from collections.abc import Mapping
from typing import Any

from nexus.agent.etcd import Etcd
from nexus.agent.lib import RemoteError


def hand_over(context: Mapping[str, Any]) -> None:
    """Let the member context["to"] lead; RemoteError if it is unknown or does not take over."""
    etcd = Etcd(context["endpoint"], context["tls"], timeout=30)
    known = {member["name"]: member["id"] for member in etcd.members(agreed=True)}
    if context["to"] not in known:
        raise RemoteError(f"{context['to']} is not a member of etcd: {', '.join(sorted(known))}")
    if etcd.ask("maintenance/status", {}).get("leader") != known[context["to"]]:
        etcd.hand_over(known[context["to"]])
