"""A change of primary that an operator asked for; runs on the host that is to take over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roles.sentinel.promote import promote
from roles.sentinel.view import View

Item = Mapping[str, Any]


def apply(items: Item, changed: list[str], removed: list[str], context: Item, payload: Item) -> None:
    """Make this host's server of context["instance"] the primary."""
    promote(View(context, context["instances"][context["instance"]]), context["address"], context["force"])
