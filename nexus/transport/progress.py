"""The progress of a run: for each step under way its host, its duration so far, and the last line that it printed.

On a terminal this is one line, which is redrawn. Without a terminal, a step that takes long gets a plain line, and
another one each time its duration doubles. A run without long steps prints nothing.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
from pyinfra.api.state import BaseStateCallback

from nexus import console

LONG_SECONDS = 10.0  # after this time a step is first printed without a terminal
DRAW_SECONDS = 0.2
SHOW_SECONDS = 1.0  # shorter steps are not shown


class Progress:
    """Steps under way. Every host has only a few at a time. The oldest are shown first."""

    def __init__(self) -> None:
        self.terminal = sys.stdout.isatty() and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._steps: dict[int, tuple[str, str, float]] = {}  # number -> (host, what, start)
        self._notes: dict[int, str] = {}  # number -> what the step printed last
        self._next: dict[int, float] = {}  # number -> seconds after which a plain line names it next
        self._number = 0
        self._watched = False

    @contextmanager
    def step(self, host: str, what: str) -> Iterator[int]:
        """Show this step of a host while the block runs; yield the step's number."""
        number = self.begin(host, what)
        try:
            yield number
        finally:
            self.end(number)

    def begin(self, host: str, what: str) -> int:
        """Start showing a step, and return its number for `note` and `end`."""
        self._number += 1
        self._steps[self._number] = host, what, time.monotonic()
        if not self._watched:
            self._watched = True
            gevent.spawn(self._watch)
        return self._number

    def note(self, number: int, text: str) -> None:
        """Show this text next to the step, as the last line that it printed."""
        self._notes[number] = text

    def end(self, number: int) -> None:
        """Stop showing a step."""
        for known in (self._steps, self._notes, self._next):
            known.pop(number, None)

    def under_way(self) -> list[str]:
        """Return every step under way, the oldest first, such as `data1: rabbitmq: rabbitmq-server, 8 s`."""
        now, steps = time.monotonic(), sorted(self._steps.values(), key=lambda step: step[2])
        return [f"{host}: {what}, {now - start:.0f} s" for host, what, start in steps]

    def _noted(self) -> list[tuple[str, str, float]]:
        """Return the steps under way, each with the last line that it printed."""
        notes = {number: f" ({self._notes[number]})" if number in self._notes else "" for number in self._steps}
        return [(host, f"{what}{notes[number]}", start) for number, (host, what, start) in self._steps.items()]

    def _watch(self) -> None:
        while self._steps:
            gevent.sleep(DRAW_SECONDS if self.terminal else SHOW_SECONDS)
            if self.terminal:
                self._draw()
            else:
                self._print_long()
        self._watched = False

    def _print_long(self) -> None:
        """Print one plain line for all long steps that are due."""
        now = time.monotonic()
        waits = {number: now - start for number, (_, _, start) in self._steps.items()}
        due = [number for number, seconds in waits.items() if seconds >= self._next.get(number, LONG_SECONDS)]
        self._next |= {number: 2 * waits[number] for number in due}
        named = dict(zip(self._steps, self._noted(), strict=True))
        if due:
            console.say(f"waiting: {'; '.join(_texts([named[number] for number in due], now))}")

    def _draw(self) -> None:
        text = line(self._noted(), time.monotonic(), shutil.get_terminal_size().columns - 5)
        if text:
            # As in pyinfra's spinner: the code that clears the line stays buffered until the next output.
            sys.stderr.write(f"    {text}\r")
            sys.stderr.flush()
            sys.stderr.write("\033[K")


def line(steps: Iterable[tuple[str, str, float]], now: float, width: int) -> str:
    """Return the steps that have lasted for a second or more, oldest first, cut to `width` characters."""
    text = "; ".join(_texts([step for step in steps if now - step[2] >= SHOW_SECONDS], now))
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _texts(steps: Iterable[tuple[str, str, float]], now: float) -> list[str]:
    """Return a text for each group of hosts with the same step and duration, the oldest first."""
    groups: dict[tuple[str, int], list[str]] = {}
    for host, what, start in sorted(steps, key=lambda step: step[2]):
        groups.setdefault((what, round(now - start)), []).append(host)
    return [f"{', '.join(sorted(hosts))}: {what}, {seconds} s" for (what, seconds), hosts in groups.items()]


progress = Progress()


class Connecting(BaseStateCallback):
    """Shows which hosts have not answered yet."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def host_before_connect(self, state: object, host: object) -> None:
        """Start showing the host."""
        self._numbers[str(host)] = progress.begin(str(host), "connecting")

    def host_connect(self, state: object, host: object) -> None:
        """Stop showing the host: it answered."""
        progress.end(self._numbers.pop(str(host), 0))

    def host_connect_error(self, state: object, host: object, error: object) -> None:
        """Stop showing the host: the connection failed, and this run does not try again."""
        progress.end(self._numbers.pop(str(host), 0))


def show(state: Any) -> None:
    """Replace pyinfra's spinner, which shows only host names. Call this before the run connects."""
    os.environ["PYINFRA_PROGRESS"] = "off"
    state.add_callback_handler(Connecting())
