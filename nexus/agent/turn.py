"""Whose turn it is on this host: steps run alone, questions in parallel."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator

from nexus.agent.lib import RemoteError, read_fence

LOCK = "/run/nexus-cos/lock"
PARALLEL = "/run/nexus-cos/beside"  # held by steps that run in parallel with others of their run
SECONDS = 1800  # as long as the longest step, a first build of all images, may take


@contextlib.contextmanager
def turn(alone: bool, number: int | None = None) -> Iterator[Callable[[], None]]:
    """Wait for requests under way on this host: a step runs alone, questions run in parallel.

    A step continues when its run is killed. The next run must neither repeat it at the same time nor plan from the
    state before its end. A user other than root changes nothing and waits for nothing.

    A step may call the yielded function: other steps of the same run (the same `number`) then proceed in parallel.
    """
    if os.geteuid():
        yield lambda: None
        return
    os.makedirs(os.path.dirname(LOCK), exist_ok=True)
    with open(LOCK, "a") as lock:
        deadline = time.monotonic() + SECONDS
        while not _try_lock(lock.fileno(), alone, number):
            if time.monotonic() > deadline:
                raise RemoteError(
                    f"a step of another run is still under way after {SECONDS} s: `lslocks | grep nexus-cos` "
                    "names its process; wait for its end, or end it"
                )
            time.sleep(0.05)
        with contextlib.ExitStack() as until_the_end:

            def allow_parallel() -> None:
                held = until_the_end.enter_context(open(PARALLEL, "a"))
                fcntl.flock(held, fcntl.LOCK_SH)
                fcntl.flock(lock, fcntl.LOCK_UN)

            yield allow_parallel


def _try_lock(lock: int, alone: bool, number: int | None) -> bool:
    """Take the host's lock unless another request holds it or a parallel step of another run is under way."""
    try:
        fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        if os.path.exists(PARALLEL) and (number is None or number != read_fence()["run"]):
            with open(PARALLEL, "a") as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(lock, fcntl.LOCK_UN)
        return False
    return True
