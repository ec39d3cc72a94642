"""Runs on a host of a store: whether its server is the one that takes writes. Standard library alone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, bool]]:
    """{store: {"primary": bool}}; a server that does not answer takes no writes."""
    store = context["store"]
    return {store: {"primary": ASKED[store](context)}}


def postgresql(context: dict[str, Any]) -> bool:
    from roles.postgresql.rest import Patroni, installed

    return installed(context) and Patroni(context).ask(context["name"], "GET", "/primary")[0] == 200


def redis(context: dict[str, Any]) -> bool:
    from roles.redis.client import Client, ReplyError

    with contextlib.suppress(OSError, ReplyError):
        return bool(Client.local(context["socket"], context["user"], context["password"])("ROLE")[0] == "master")
    return False


# Any node of RabbitMQ speaks for all; MongoDB's tools find the primary by themselves.
ASKED: dict[str, Callable[[dict[str, Any]], bool]] = {
    "postgresql": postgresql,
    "redis": redis,
    "rabbitmq": lambda context: True,
    "mongodb": lambda context: True,
}
