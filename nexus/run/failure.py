"""Report of a failed step to the other hosts of its role: they may wait for a result that never comes."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import gevent

from nexus.error import OperatorError
from nexus.transport.fencing_token import permit
from nexus.transport.host_client import HostClient
from nexus.transport.protocol import AGENT

SOURCE = AGENT / "failure.py"
SECONDS = 5.0
MOST = 1500  # characters of the reason


def tell(state: Any, others: Iterable[str], role: str, host: str, said: list[str]) -> None:
    """Write a note about the failure to these hosts. A host that cannot be reached waits until its own timeout."""
    why = " ".join(" ".join(said).split())[-MOST:]
    context = {"run": permit.number, "role": role, "host": host, "why": why or "the connection was lost"}

    def leave(name: str) -> None:
        with suppress(OperatorError):
            HostClient(name, state).act_aside(SOURCE, "note", context, SECONDS)

    gevent.joinall([gevent.spawn(leave, name) for name in others], timeout=SECONDS)
