"""Questions outside of any operation, to hosts that a run may not even reach: the lock, the record, claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import gevent
from pyinfra.context import ctx_state, state

from roles.kit.error import OperatorError
from roles.kit.model import code
from roles.kit.progress import progress
from roles.kit.transport import send

ANSWER_SECONDS = 30.0  # a host that says nothing for so long is as good as dead


def ask_aside(
    name: str,
    source: Path,
    action: str,
    context: Mapping[str, Any],
    libraries: Iterable[str] = (),
    seconds: float = ANSWER_SECONDS,
) -> dict[str, Any]:
    """The answer of host-side code that waits for no step under way; OperatorError where there is none."""
    request = {"do": "aside", **code(source, libraries), "names": [action], "context": dict(context)}
    reply = _send(name, request, seconds)
    if "error" in reply:
        raise OperatorError(f"{name}: {source.parent.name} could not be asked: {reply['error']}")
    items: dict[str, Any] = reply["items"]
    return items


def claim(name: str, number: int, seconds: float) -> dict[str, int]:
    """Let a host refuse every run with a lower number from now on; what it knew before: {"run", "steps"}.

    Waits for a step that another run left under way there.
    """
    with progress.step(name, "waiting for what another run left under way"):
        return _send(name, {"do": "claim", "fence": number}, seconds)


def connect(name: str) -> bool:
    """Whether there is a connection to the host, which --limit may have left out of the run."""
    host = state.inventory.get_host(name, default=None)
    if host is not None and not host.connected:
        host.connect(show_errors=False)
    return host is not None and bool(host.connected)


def first_reached(names: Iterable[str], what: str) -> str:
    """The first of these hosts that can be reached; OperatorError says for what one of them is needed."""
    known = list(names)
    if found := next(filter(connect, known), None):
        return found
    raise OperatorError(f"none of {', '.join(known)} can be reached, {what}: bring one back")


def _send(name: str, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    if not connect(name):
        raise OperatorError(f"{name} cannot be reached")
    current = ctx_state.get()
    with gevent.Timeout(seconds, False):
        answer, why = send(current, current.inventory.get_host(name), request)
        if answer:
            return answer
        raise OperatorError(f"{name}: {why}")
    raise OperatorError(f"{name} gave no answer within {seconds:.0f} s")
