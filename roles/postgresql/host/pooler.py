"""Orders that somebody gave to the pooler in front of this host's server."""

from collections.abc import Mapping
from typing import Any

Item = Mapping[str, Any]
CONSOLE = "runuser -u postgres -- psql -h /run/postgresql -p {port} -U pgbouncer pgbouncer -c '{words}'"


def orders(pooler: Item, context: Item) -> str:
    """An order that keeps clients out of databases, and the command that ends it; "" if there is none."""
    for word, ends in (("paused", "RESUME"), ("disabled", "ENABLE")):
        names = [row["name"] for row in pooler["databases"] if row.get(word) not in (None, "0")]
        if names:
            whole = len(names) >= len(pooler["databases"]) - 1 and ends == "RESUME"  # its console is never paused
            words = ends if whole else f"{ends} {names[0]}"
            return (
                f"PgBouncer admits no clients to {_few(names)}, {word} by hand. When that is no longer wanted, run "
                "there: " + CONSOLE.format(port=context["pooler_port"], words=words)
            )
    return ""


def _few(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more databases" if len(names) > 4 else "")
