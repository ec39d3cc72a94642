"""The pooler as it runs: databases that somebody paused or shut, and settings that are not those of its file.

A pause is an order of whoever works on the database behind it: it is told and never ended here. Settings that were set
by hand at the running pooler last until its next reload, so a reload takes them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError, run
from nexus.agent.wait import tries
from roles.postgresql.host.local import ask, seen
from roles.postgresql.host.pooler import orders

Item = Mapping[str, Any]
SETTLE_SECONDS = 10


def probe(names: list[str], context: Item) -> dict[str, dict[str, Any]]:
    """The item "pooler"; as planned where none answers, since its unit says so."""
    pooler = seen(context).get("pooler")
    return {"pooler": condition(pooler, context) if pooler else {"settings": []}}


def apply(change: Change) -> None:
    """Have it read its file; RemoteError where it keeps other settings."""
    run(["systemctl", "reload", "pgbouncer"], timeout=30)
    for _ in tries(SETTLE_SECONDS):
        names = different(ask(change.context).get("pooler") or {"config": {}}, change.context)
        if not names:
            print("PgBouncer read its settings again")
            return
    raise RemoteError(
        f"PgBouncer does not take {', '.join(names)} from its file: `journalctl -u pgbouncer` there says why; "
        "systemctl restart pgbouncer ends all its connections and reads it again"
    )


def condition(pooler: Item, context: Item) -> dict[str, Any]:
    """Settings that differ; an obstacle where databases take nobody."""
    return {"settings": different(pooler, context), "obstacle": orders(pooler, context)}


def different(pooler: Item, context: Item) -> list[str]:
    """Names of settings that the running pooler has otherwise than its file."""
    wanted, there = context["config of the pooler"], pooler["config"]
    return sorted(name for name, value in wanted.items() if name in there and not _same(value, there[name]))


def _same(wanted: str, shown: str) -> bool:
    try:
        return float(wanted) == float(shown)
    except ValueError:
        return wanted == shown
