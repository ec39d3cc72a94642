"""Waiting on a host for what takes a while, such as a daemon that starts or another host that joins."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from nexus.agent.failure import expect_others
from nexus.agent.lib import RemoteError

T = TypeVar("T")
Errors = type[Exception] | tuple[type[Exception], ...]


class LateError(RemoteError):
    """The time to wait is over."""


def tries(seconds: float, pause: float = 0.5, role: str = "") -> Iterator[None]:
    """Loop over this to try something again and again for a time: once at once, then after each pause in seconds.

    With `role`, RemoteError as soon as another host has failed in that role in this run: it is waited for in vain.
    """
    end = time.monotonic() + seconds
    while True:
        yield
        if time.monotonic() > end:
            return
        if role:
            expect_others(role)
        time.sleep(pause)


def wait_until(condition: Callable[[], T], seconds: float, message: str, pause: float = 0.5, role: str = "") -> T:
    """The first true answer of a condition; LateError with the message when there is none in time."""
    for _ in tries(seconds, pause, role):
        if found := condition():
            return found
    raise LateError(message)


def repeat(
    attempt: Callable[[], T],
    seconds: float,
    message: str = "",
    pause: float = 0.5,
    role: str = "",
    on: Errors = RemoteError,
) -> T:
    """The result of the first attempt that raises no error `on` which it is repeated; any other error is raised.

    LateError with the message and the last of these errors when none succeeds in time.
    """
    why = ""
    for _ in tries(seconds, pause, role):
        try:
            return attempt()
        except on as error:
            why = str(error)
    raise LateError(f"{message}: {why}" if message else why)
