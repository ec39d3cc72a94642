"""A question that is asked before its turn: while some hosts still answer what all are asked, others wait."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

import gevent

from roles.kit.error import OperatorError


class Ahead:
    """Asked once the hosts that it concerns are found as planned. Its answer counts where no other host differs."""

    def __init__(self, hosts: Collection[str], ask: Callable[[], Any]) -> None:
        self.hosts, self._ask = frozenset(hosts), ask
        self._asking: gevent.Greenlet | None = None

    def begin(self) -> None:
        """Ask, and do not wait."""
        self._asking = gevent.spawn(self._ask)

    def answer(self) -> Any | None:
        """The answer, waited for; None where nothing was asked or nothing came: whoever asks again is told why."""
        if self._asking:
            with suppress(OperatorError):
                return self._asking.get()
        return None
