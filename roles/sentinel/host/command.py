"""A change of primary that an operator requested; runs on the host that takes over."""

from collections.abc import Mapping
from typing import Any

from roles.sentinel.host.promote import promote
from roles.sentinel.host.view import View

Item = Mapping[str, Any]


def take_over(context: Item) -> None:
    """Make this host's server of context["instance"] the primary."""
    promote(View(context, context["instances"][context["instance"]]), context["address"], context["force"])
