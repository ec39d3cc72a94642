"""Runs on a host: whether the leaves that are prepared there are the planned ones and last long enough."""

from __future__ import annotations

import time
from typing import Any

from roles.certificate.stock import PREPARED, read, seal, until
from roles.kit.agent.base import RemoteError


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{name: whose leaves they are, and whether they last for the seconds of `context` or as long as the authority}."""
    try:
        stock = read()
    except RemoteError:
        return {}
    lasts = bool(stock["final"]) or until(stock) - time.time() >= context["seconds"]
    return {name: {"identity": stock["identity"], "lasts": lasts} for name in names}


def apply(items: Any, changed: Any, removed: Any, context: Any, payload: dict[str, Any]) -> None:
    """Replace all of them."""
    from roles.kit.agent.file import write_atomic  # not there where only questions are asked

    write_atomic(PREPARED, seal(payload), 0o600)
