"""How a run ends that is told to stop: by Ctrl-C, by `kill`, or because its terminal is gone.

After the first signal no further step begins, the lock is given back and the record says so; the steps that are under
way end by themselves on their hosts. A second signal ends the process at once.
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
    """The run was told to stop; its exit status is 128 and the number of the signal, as shells have it."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.reason = f"{signal.Signals(number).name} ({SIGNALS[signal.Signals(number)]})"


class Interruption:
    """The signals of this process: which one came, and what was under way then."""

    def __init__(self) -> None:
        self.error: Interrupted | None = None
        self.under_way: list[str] = []
        self._main = getcurrent()
        self._shields = 0
        self._terminals: list[int] = []

    def watch(self) -> None:
        """Answer signals from now on; one that is ignored on purpose, as nohup does, stays ignored."""
        self._main = getcurrent()
        self._terminals = [number for number in (0, 1, 2) if os.isatty(number)]
        for number in SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._answer)

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Let the block end before a signal that comes meanwhile stops the run: it leaves nothing half-done."""
        self._shields += 1
        before = self.error
        try:
            yield
        finally:
            self._shields -= 1
        if self.error is not before and self.error is not None and not self._shields:
            raise self.error

    def _answer(self, number: int, frame: FrameType | None) -> None:
        """Stop the run where it stands, in whichever greenlet the signal found it."""
        if number == signal.SIGHUP:
            self._leave_terminal()
        if self.error:
            self._end_now(number)
        self.error = Interrupted(number)
        self.under_way = progress.under_way()
        permit.withdraw(f"it was stopped by {self.error.reason}")
        if ctx_state.isset() and state.initialised:
            state.pool.kill(block=False)  # nothing that was planned for a host begins there any more
        _write(f"{self.error.reason}: stopping, once more to end at once")
        if self._shields:
            return
        if getcurrent() is self._main:
            raise self.error
        gevent.kill(self._main, self.error)

    def _leave_terminal(self) -> None:
        """Write nowhere rather than to a terminal that is gone: the lock must still be given back."""
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
    """Write past Python's buffers, which the signal may have found in the middle of a line."""
    with suppress(OSError):
        os.write(2, f"\n{text}\n".encode())


interruption = Interruption()


def tell(stage: str, touched: bool) -> None:
    """End a run that was stopped: say what was under way, and how to continue. Nothing for any other run."""
    if not (error := interruption.error):
        return
    _say(error, stage, touched)
    sys.stdout.flush()
    sys.stderr.flush()
    # At its own end Python would close connections that other greenlets still use, and complain about each.
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
