"""Faults that are set on a host of the lab from outside, and what runs, status and drift have to say of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from control import Control, Outcome

BASE = "deploys/base.py"


@contextmanager
def fault(control: Control, host: str, script: str, undo: str) -> Iterator[None]:
    """Commands on a host as root, and those that undo them, whatever happens in between."""
    try:
        control.ssh(host, "sudo sh -e", script)
        yield
    finally:
        control.ssh(host, "sudo sh", undo)


def refused(done: Outcome, *said: str) -> None:
    """The run ended with these words before it changed anything."""
    stopped(done, *said)
    assert "Nothing was changed on any host." in done.output, done.end
    assert done.changes == [], done.end


def stopped(done: Outcome, *said: str) -> None:
    """The run ended with these words, and no traceback."""
    assert done.status not in (0, None), done.end
    assert "Traceback" not in done.output, done.end
    for words in said:
        assert words in done.output, done.end


def row(control: Control, *said: str) -> None:
    """The status ends with a status other than 0 and says this."""
    stopped(control.run(deploy="deploys/status.py"), *said)


def drifted(control: Control, *said: str) -> None:
    """The drift report says this."""
    done = control.run(deploy="deploys/drift.py")
    assert done.status == 1, done.end
    for words in said:
        assert words in done.output, done.end


def until(stream: Iterable[str], words: str) -> str:
    """What a run says up to a line with these words."""
    found = ""
    for line in stream:
        found += line
        if words in line:
            return found
    raise AssertionError(found)
