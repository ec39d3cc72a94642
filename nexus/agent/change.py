"""What a step brings for a state: the argument of `apply` in the host-side code of roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Change:
    """What is to become true of a state on this host.

    `items` is all that is planned: {name: properties}. `changed` names those of them that are missing or differ,
    `removed` what is there and planned no longer. `context` is what the probe was given, with what could be known only
    now; `payload` what only `apply` needs, such as the contents of secrets.
    """

    def __init__(
        self,
        items: Mapping[str, Any],
        changed: Sequence[str] = (),
        removed: Sequence[str] = (),
        context: Mapping[str, Any] | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        self.items: dict[str, Any] = dict(items)
        self.changed, self.removed = list(changed), list(removed)
        self.context: dict[str, Any] = dict(context or {})
        self.payload: dict[str, Any] = dict(payload or {})
