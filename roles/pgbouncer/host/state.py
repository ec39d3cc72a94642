"""The running pooler: databases that somebody paused or disabled, and settings that differ from its file.

A pause is an order of a person who works on the database behind it: a run reports it and never ends it. Settings
that were made by hand at the running pooler last until its next reload, so a reload removes them.
"""

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
    """Return the item "pooler"; as planned if no pooler answers, since its unit reports that."""
    pooler = seen(context).get("pooler")
    return {"pooler": condition(pooler, context) if pooler else {"settings": []}}


def apply(change: Change) -> None:
    """Have it read its file; RemoteError if it keeps other settings."""
    run(["systemctl", "reload", "pgbouncer"], timeout=30)
    for _ in tries(SETTLE_SECONDS):
        names = different(ask(change.context).get("pooler") or {"config": {}}, change.context)
        if not names:
            print("PgBouncer read its settings again")
            return
    raise RemoteError(
        f"PgBouncer does not take {', '.join(names)} from its file: see `journalctl -u pgbouncer` there; "
        "systemctl restart pgbouncer ends all its connections and reads the file again"
    )


def condition(pooler: Item, context: Item) -> dict[str, Any]:
    """Settings that differ; an obstacle if databases admit no clients."""
    return {"settings": different(pooler, context), "obstacle": orders(pooler, context)}


def different(pooler: Item, context: Item) -> list[str]:
    """Names of settings that differ between the running pooler and its file."""
    wanted, there = context["config of the pooler"], pooler["config"]
    return sorted(name for name, value in wanted.items() if name in there and not _same(value, there[name]))


def _same(wanted: str, shown: str) -> bool:
    try:
        return float(wanted) == float(shown)
    except ValueError:
        return wanted == shown
