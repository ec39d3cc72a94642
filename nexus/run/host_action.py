"""Host-side code of runbooks, sent to any host of the run."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gevent

from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.transport.host_client import HostClient
from nexus.transport.progress import progress
from nexus.transport.protocol import action

POLL_SECONDS = 2


def carry_out(run: Run, name: str, what: str, source: Path, function: str, context: Mapping[str, Any]) -> None:
    """Carry out an action: call `function(context)` of host-side code on a host and show its output.

    The action holds the host's turn until it ends, so no other run changes the host meanwhile. Work that takes
    hours must be started as a unit and watched instead. Raises OperatorError if the code raises RemoteError.
    """
    if not run.hosts.reaches(name):
        raise OperatorError(f"{name} must {what} but is not part of this run: drop --limit or --data without")
    done = HostClient(name).carry_out(what, action(source, function, context, alone=True), stream=True)
    run.hosts.drop(name, cluster=True)
    if not done:
        raise OperatorError(f"{name} could not {what} (see the error above)")


def watch(
    run: Run,
    name: str,
    what: str,
    ask: Callable[[], dict[str, Any]],
    done: Callable[[dict[str, Any]], bool],
    seconds: float,
) -> dict[str, Any]:
    """Poll `ask()` until `done(answer)`, and return that answer; OperatorError with the last answer on timeout."""
    deadline = time.monotonic() + seconds
    with progress.step(name, what):
        while not done(answer := ask()):
            if time.monotonic() > deadline:
                raise OperatorError(f"{name}: {what} did not end within {seconds:.0f} s; last state: {answer}")
            gevent.sleep(POLL_SECONDS)
    return answer
