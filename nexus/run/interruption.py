"""The end of a run by a signal: Ctrl-C, `kill`, or the loss of its terminal.

After the first signal no further step begins. The run releases the lock and writes the interruption to the record.
Steps under way continue to their end on their hosts. A second signal ends the process at once.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import click
import gevent
from gevent import getcurrent
from pyinfra.context import ctx_state, state

from nexus.transport.fencing_token import permit
from nexus.transport.progress import progress

SIGNALS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "kill", signal.SIGHUP: "the terminal is gone"}


class Interrupted(SystemExit):
    """A signal stopped the run. The exit status is 128 plus the number of the signal, as in shells."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.reason = f"{signal.Signals(number).name} ({SIGNALS[signal.Signals(number)]})"


class Interruption:
    """The signal that this process received, and the steps that were under way then."""

    def __init__(self) -> None:
        self.error: Interrupted | None = None
        self.under_way: list[str] = []
        self._main = getcurrent()
        self._shields = 0
        self._terminals: list[int] = []

    def watch(self) -> None:
        """Handle signals from now on. A signal that is ignored on purpose, such as by nohup, stays ignored."""
        self._main = getcurrent()
        self._terminals = [number for number in (0, 1, 2) if os.isatty(number)]
        for number in SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._answer)

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Delay a signal until the block has ended, so that nothing in it is left half-done."""
        self._shields += 1
        before = self.error
        try:
            yield
        finally:
            self._shields -= 1
        if self.error is not before and self.error is not None and not self._shields:
            raise self.error

    def _answer(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: stop the run at once, in whichever greenlet it arrives."""
        if number == signal.SIGHUP:
            self._leave_terminal()
        if self.error:
            self._end_now(number)
        self.error = Interrupted(number)
        self.under_way = progress.under_way()
        permit.withdraw(f"it was stopped by {self.error.reason}")
        if ctx_state.isset() and state.initialised:
            state.pool.kill(block=False)  # no planned operation begins on any host from now on
        _write(f"{self.error.reason}: stopping, once more to end at once")
        if self._shields:
            return
        if getcurrent() is self._main:
            raise self.error
        gevent.kill(self._main, self.error)

    def _leave_terminal(self) -> None:
        """Redirect output to /dev/null: the terminal is gone, and the run must still release the lock."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in self._terminals:
            os.dup2(nowhere, number)

    def _end_now(self, number: int) -> None:
        _write(
            "INCOMPLETE: ended at once. The lock may not be given back: it ends by itself within a minute. "
            "Then run the same command again."
        )
        os._exit(128 + number)


def _write(text: str) -> None:
    """Write directly to standard error: Python's buffers may hold half a line when the signal arrives."""
    with suppress(OSError):
        os.write(2, f"\n{text}\n".encode())


interruption = Interruption()


def tell(stage: str, touched: bool) -> None:
    """End the process of an interrupted run: print what was under way and how to continue. Else do nothing."""
    if not (error := interruption.error):
        return
    _say(error, stage, touched)
    sys.stdout.flush()
    sys.stderr.flush()
    # A normal exit of Python would close connections that other greenlets still use, and print an error for each.
    os._exit(int(error.code or 0))


def _say(error: Interrupted, stage: str, touched: bool) -> None:
    click.secho(f"INCOMPLETE: stopped by {error.reason} {stage}", fg="red", err=True)
    for line in interruption.under_way:
        click.echo(f"  under way: {line}", err=True)
    if touched:
        click.echo(
            "Steps under way end by themselves on their hosts, and the next run waits for them. "
            "Run the same command again to continue.",
            err=True,
        )
    else:
        click.echo("Nothing was changed on any host. Run the same command again.", err=True)
