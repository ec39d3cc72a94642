"""Whether this host's server of PostgreSQL is the one that takes writes."""

from typing import Any

from roles.postgresql.host.patroni_api import Patroni, installed


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, bool]]:
    """{"postgresql": {"primary": bool}}; a server that does not answer takes no writes."""
    primary = installed(context) and Patroni(context).ask(context["name"], "GET", "/primary")[0] == 200
    return {"postgresql": {"primary": primary}}
