"""The argument of `apply` in the host-side code of roles: what a step changes of a state."""

from collections.abc import Mapping, Sequence
from typing import Any


class Change:
    """What must become true of a state on this host.

    `items` is all that is planned: {name: properties}. `changed` names the items that are missing or differ, `removed`
    the items on the host that are no longer planned. `context` is the probe's context, plus values that are known only
    now; `payload` is what only `apply` needs, such as the contents of secrets.
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
