"""Requests as a run makes them for items that all differ."""

from __future__ import annotations

from typing import Any

from nexus.plan.comparison import Differences
from nexus.plan.item import Item


def step(*items: Item, **more: Any) -> dict[str, Any]:
    """The one step that a run sends a host for items of one kind."""
    requests = [item.request({}) for item in items]
    (found,) = items[0].steps(requests, Differences())
    return {**found, **more}
