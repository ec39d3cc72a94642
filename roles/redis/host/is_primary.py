"""Whether this host's persistent Redis server is the one that takes writes."""

import contextlib
from typing import Any

from roles.redis.host.client import Client, ReplyError


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, bool]]:
    """{"redis": {"primary": bool}}; a server that does not answer takes no writes."""
    primary = False
    with contextlib.suppress(OSError, ReplyError):
        primary = bool(Client.local(context["socket"], context["user"], context["password"])("ROLE")[0] == "master")
    return {"redis": {"primary": primary}}
