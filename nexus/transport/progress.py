"""What a run waits for: which host, which step, how long already, and what that step printed last.

On a terminal this is one line that is drawn again and again. Without one it is a plain line once a step takes
long, again after twice that time. A run that waits for nothing long prints nothing.
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

LONG_SECONDS = 10.0  # when a step is first told without a terminal
DRAW_SECONDS = 0.2
SHOW_SECONDS = 1.0  # what is over sooner need not be read


class Progress:
    """Steps under way. Every host has at most a few at a time; the oldest are shown first."""

    def __init__(self) -> None:
        self.terminal = sys.stdout.isatty() and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._steps: dict[int, tuple[str, str, float]] = {}  # number -> (host, what, start)
        self._notes: dict[int, str] = {}  # number -> what the step printed last
        self._next: dict[int, float] = {}  # number -> seconds after which a plain line names it next
        self._number = 0
        self._watched = False

    @contextmanager
    def step(self, host: str, what: str) -> Iterator[int]:
        """Show this step of a host for as long as the block lasts; gives its number."""
        number = self.begin(host, what)
        try:
            yield number
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

    def note(self, number: int, text: str) -> None:
        """Show with a step what it printed last."""
        self._notes[number] = text

    def end(self, number: int) -> None:
        """Stop showing a step."""
        for known in (self._steps, self._notes, self._next):
            known.pop(number, None)

    def under_way(self) -> list[str]:
        """Every step under way, the oldest first, such as `data1: rabbitmq: rabbitmq-server, 8 s`."""
        now, steps = time.monotonic(), sorted(self._steps.values(), key=lambda step: step[2])
        return [f"{host}: {what}, {now - start:.0f} s" for host, what, start in steps]

    def _noted(self) -> list[tuple[str, str, float]]:
        """Steps under way, each with what it printed last."""
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
        """One plain line for all steps that take long and are due."""
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
            # As pyinfra's own: the code that clears the line stays in the buffer, before the next output.
            sys.stderr.write(f"    {text}\r")
            sys.stderr.flush()
            sys.stderr.write("\033[K")


def line(steps: Iterable[tuple[str, str, float]], now: float, width: int) -> str:
    """The steps that last for a second or more, oldest first, within so many characters."""
    text = "; ".join(_texts([step for step in steps if now - step[2] >= SHOW_SECONDS], now))
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _texts(steps: Iterable[tuple[str, str, float]], now: float) -> list[str]:
    """The oldest first; hosts that wait for the same are named together."""
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
        """Begin with a host."""
        self._numbers[str(host)] = progress.begin(str(host), "connecting")

    def host_connect(self, state: object, host: object) -> None:
        """It answered."""
        progress.end(self._numbers.pop(str(host), 0))

    def host_connect_error(self, state: object, host: object, error: object) -> None:
        """It did not, and will not in this run."""
        progress.end(self._numbers.pop(str(host), 0))


def show(state: Any) -> None:
    """Take the place of pyinfra's spinner, which names hosts alone; called before the run connects."""
    os.environ["PYINFRA_PROGRESS"] = "off"
    state.add_callback_handler(Connecting())
