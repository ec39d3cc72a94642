"""What a run waits for, per host and since when.

On a terminal one line that is drawn again and again; without one a plain line for every step that takes
long, again when it took twice as long. A run that waits for nothing long prints nothing.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
from pyinfra import logger
from pyinfra.api.state import BaseStateCallback

LONG_SECONDS = 10.0  # when a step is first told without a terminal
DRAW_SECONDS = 0.2
SHOW_SECONDS = 1.0  # what is over sooner need not be read


class Progress:
    """Steps under way. Every host has at most a few at a time; the oldest are shown first."""

    def __init__(self) -> None:
        self.terminal = sys.stdout.isatty() and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._steps: dict[int, tuple[str, str, float]] = {}  # number -> (host, what, start)
        self._told: dict[int, float] = {}  # number -> seconds after which it is told next
        self._number = 0
        self._watched = False

    @contextmanager
    def step(self, host: str, what: str) -> Iterator[None]:
        """Show this step of a host for as long as the block lasts."""
        number = self.begin(host, what)
        try:
            yield
        finally:
            self.end(number)

    def begin(self, host: str, what: str) -> int:
        """Start to show a step; its number is what `end` takes."""
        self._number += 1
        self._steps[self._number] = host, what, time.monotonic()
        if not self._watched:
            self._watched = True
            gevent.spawn(self._watch)
        return self._number

    def end(self, number: int) -> None:
        """Show a step no more."""
        self._steps.pop(number, None)
        self._told.pop(number, None)

    def under_way(self) -> list[str]:
        """Every step under way, the oldest first, such as `data1: Converge rabbitmq, 8 s`."""
        return _texts(self._steps.values(), time.monotonic())

    def _watch(self) -> None:
        while self._steps:
            gevent.sleep(DRAW_SECONDS if self.terminal else SHOW_SECONDS)
            if self.terminal:
                self._draw()
            else:
                self._tell()
        self._watched = False

    def _tell(self) -> None:
        now = time.monotonic()
        for number, (host, what, start) in list(self._steps.items()):
            if now - start >= self._told.get(number, LONG_SECONDS):
                logger.info(f"[{host}] {what}: {now - start:.0f} s so far")
                self._told[number] = 2 * (now - start)

    def _draw(self) -> None:
        text = line(self._steps.values(), time.monotonic(), shutil.get_terminal_size().columns - 5)
        if text:
            # As pyinfra's own: what clears the line stays in the buffer, ahead of whatever is written next.
            sys.stderr.write(f"    {text}\r")
            sys.stderr.flush()
            sys.stderr.write("\033[K")


def line(steps: Iterable[tuple[str, str, float]], now: float, width: int) -> str:
    """The steps that last for a second or more, oldest first, within so many characters."""
    text = "; ".join(_texts([step for step in steps if now - step[2] >= SHOW_SECONDS], now))
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _texts(steps: Iterable[tuple[str, str, float]], now: float) -> list[str]:
    return [f"{host}: {what}, {now - start:.0f} s" for host, what, start in sorted(steps, key=lambda step: step[2])]


progress = Progress()


class Connecting(BaseStateCallback):
    """Shows which hosts have not answered yet."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def host_before_connect(self, state: object, host: object) -> None:
        """Begin with a host."""
        self._numbers[str(host)] = progress.begin(str(host), "connecting")

    def host_connect(self, state: object, host: object) -> None:
        """It answered."""
        progress.end(self._numbers.pop(str(host), 0))

    def host_connect_error(self, state: object, host: object, error: object) -> None:
        """It did not, and will not in this run."""
        progress.end(self._numbers.pop(str(host), 0))


def show(state: Any) -> None:
    """Take the place of pyinfra's spinner, which tells hosts alone; called before hosts are connected to."""
    os.environ["PYINFRA_PROGRESS"] = "off"
    state.add_callback_handler(Connecting())
