"""Host-side code of runbooks, sent to any host of the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import gevent
from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS, pop_global_arguments
from pyinfra.context import state

from roles.kit.error import OperatorError
from roles.kit.model import code
from roles.kit.progress import progress
from roles.kit.run import Run
from roles.kit.transport import Step

POLL_SECONDS = 2


def carry_out(
    run: Run,
    name: str,
    what: str,
    source: Path,
    context: Mapping[str, Any],
    libraries: Iterable[str] = (),
) -> None:
    """Run `apply({}, [], [], context, {})` of host-side code on a host; what it prints is shown.

    It holds the host's turn for as long as it lasts, so no other run changes the host meanwhile; what takes
    hours is started as a unit instead and watched. Raises OperatorError when the code raised RemoteError.
    """
    if not run.reaches(name):
        raise OperatorError(f"{name} is not reached by this run, and has to {what}: drop --limit, or --data without")
    target = state.inventory.get_host(name)
    request = {"do": "state", "name": source.parent.name, **code(source, libraries), "context": dict(context)}
    request |= {"items": {}, "changed": [], "removed": [], "payload": {}}
    known, _ = pop_global_arguments(state, target, {})
    arguments = {key: value for key, value in known.items() if key in CONNECTOR_ARGUMENT_KEYS}
    done = Step(what, request, stream=True).execute(state, target, arguments)
    run.drop(name, cluster=True)
    if not done:
        raise OperatorError(f"{name} could not {what}; why stands above")


def watch(
    run: Run,
    name: str,
    what: str,
    ask: Callable[[], dict[str, Any]],
    done: Callable[[dict[str, Any]], bool],
    seconds: float,
) -> dict[str, Any]:
    """Ask again and again until `done(answer)`; the answer. OperatorError with the last one when time is up."""
    deadline = time.monotonic() + seconds
    with progress.step(name, what):
        while not done(answer := ask()):
            if time.monotonic() > deadline:
                raise OperatorError(f"{name}: {what} did not end within {seconds:.0f} s; last seen: {answer}")
            gevent.sleep(POLL_SECONDS)
    return answer
