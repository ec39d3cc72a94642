"""Faults that are set on a host of the lab from outside, and what runs, status and drift must report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from control import Control, Outcome

BASE, MONITORING = "deploys/base.py", "deploys/monitoring.py"


@contextmanager
def fault(control: Control, host: str, script: str, undo: str) -> Iterator[None]:
    """Run commands on a host as root, and in any case the commands that undo them."""
    try:
        control.ssh(host, "sudo sh -e", script)
        yield
    finally:
        control.ssh(host, "sudo sh", undo)


def refused(done: Outcome, *said: str) -> None:
    """Fail unless the run ended with these words before any change."""
    stopped(done, *said)
    assert "Nothing was changed on any host." in done.output, done.end
    assert done.changes == [], done.end


def stopped(done: Outcome, *said: str) -> None:
    """Fail unless the run ended with these words and without a traceback."""
    assert done.status not in (0, None), done.end
    assert "Traceback" not in done.output, done.end
    for words in said:
        assert words in done.output, done.end


def row(control: Control, *said: str) -> None:
    """Fail unless the status exits with another code than 0 and prints this."""
    stopped(control.run(deploy="deploys/status.py"), *said)


def drifted(control: Control, *said: str) -> None:
    """Fail unless the drift report contains this."""
    done = control.run(deploy="deploys/drift.py")
    assert done.status == 1, done.end
    for words in said:
        assert words in done.output, done.end


def until(stream: Iterable[str], words: str) -> str:
    """The output of a run up to a line with these words."""
    found = ""
    for line in stream:
        found += line
        if words in line:
            return found
    raise AssertionError(found)
