"""Runs on a host: whether the leaves prepared there are the planned ones and last long enough."""

import time
from typing import Any

from nexus.agent.change import Change
from nexus.agent.file import write_atomic
from nexus.agent.lib import RemoteError
from roles.certificate.host.stock import PREPARED, read, seal, until


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{name: whose leaves they are, and whether they last for the seconds of `context` or as long as the authority}."""
    try:
        stock = read()
    except RemoteError:
        return {}
    lasts = bool(stock["final"]) or until(stock) - time.time() >= context["seconds"]
    return {name: {"identity": stock["identity"], "lasts": lasts} for name in names}


def apply(change: Change) -> None:
    """Replace all prepared leaves."""
    write_atomic(PREPARED, seal(change.payload), 0o600)
