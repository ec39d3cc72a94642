"""Whose turn it is on this host: steps run alone, questions in parallel."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator

from nexus.agent.lib import RemoteError, read_fence

LOCK = "/run/nexus-cos/lock"
BESIDE = "/run/nexus-cos/beside"  # held by steps beside which their run goes on
SECONDS = 1800  # as long as the longest step, a first build of all images, may take


@contextlib.contextmanager
def turn(alone: bool, number: int | None = None) -> Iterator[Callable[[], None]]:
    """Wait for what is under way on this host: steps run alone, questions beside each other.

    A step goes on when the run that began it is killed. The next run must neither do the same beside it
    nor plan from what was true before it ended. Whoever is not root changes nothing and waits for nobody.

    A step that calls what it is given goes on beside others of its own run, told by its `number`; all else waits.
    """
    if os.geteuid():
        yield lambda: None
        return
    os.makedirs(os.path.dirname(LOCK), exist_ok=True)
    with open(LOCK, "a") as lock:
        deadline = time.monotonic() + SECONDS
        while not _came_in(lock.fileno(), alone, number):
            if time.monotonic() > deadline:
                raise RemoteError(
                    f"a step of another run is still under way after {SECONDS} s: `lslocks | grep nexus-cos` "
                    "names its process; wait for its end, or end it"
                )
            time.sleep(0.05)
        with contextlib.ExitStack() as until_the_end:

            def let_in() -> None:
                beside = until_the_end.enter_context(open(BESIDE, "a"))
                fcntl.flock(beside, fcntl.LOCK_SH)
                fcntl.flock(lock, fcntl.LOCK_UN)

            yield let_in


def _came_in(lock: int, alone: bool, number: int | None) -> bool:
    """Hold the host's lock if nobody else does and nothing goes on beside it that another run has begun."""
    try:
        fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        if os.path.exists(BESIDE) and (number is None or number != read_fence()["run"]):
            with open(BESIDE, "a") as beside:
                fcntl.flock(beside, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(lock, fcntl.LOCK_UN)
        return False
    return True
