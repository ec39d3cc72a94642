"""Whether a unit file has changed since systemd read them all: never a no where systemd would say yes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from roles.kit.agent import unread as module
from roles.kit.agent.unread import unread

HOUR = 3600


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of unit files with a unit, a drop-in and a link to nowhere; all of them were made just now."""
    (tmp_path / "one.service.d").mkdir()
    (tmp_path / "one.service").write_text("[Service]\n")
    (tmp_path / "one.service.d" / "10-own.conf").write_text("[Service]\n")
    (tmp_path / "gone.service").symlink_to(tmp_path / "nowhere")
    monkeypatch.setattr(module, "PLACES", (str(tmp_path), str(tmp_path / "missing")))
    return tmp_path


def moments(read: float, started: float | None = None) -> list[int]:
    """What systemd notes when it reads at this time by the clock; at its start it had read at `started`."""
    booted = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
    pairs = [(read, read - booted), (started or booted + 1, (started or booted + 1) - booted)]
    return [int(part * 1e6) for pair in pairs for part in pair]


def test_what_was_read_after_the_last_change_is_known(place: Path) -> None:
    assert not unread(moments(time.time() + 1))


def test_at_the_start_of_a_host_nothing_was_reloaded_yet(place: Path) -> None:
    assert not unread([0, 0, *moments(time.time() + 1)[:2]])
    assert unread([0, 0, 0, 0])


def just_read() -> list[int]:
    """Moments of a reload that is over, and after which the kernel's coarse clock has ticked."""
    read = moments(time.time() + 0.1)
    while time.time() < read[0] / 1e6 + 0.05:
        time.sleep(0.01)
    return read


@pytest.mark.parametrize("what", ["one.service", "one.service.d/10-own.conf", "new.service", "one.service.d/new.conf"])
def test_a_file_that_was_written_later_is_found(place: Path, what: str) -> None:
    read = just_read()
    assert not unread(read)
    (place / what).write_text("[Unit]\n")
    assert unread(read)


def test_a_file_that_is_gone_is_found(place: Path) -> None:
    read = just_read()
    os.unlink(place / "one.service.d" / "10-own.conf")
    assert unread(read)


def test_a_clock_that_was_set_hides_nothing(place: Path) -> None:
    """systemd read an hour ago; then the clock was set, and files were written by the new one."""
    ahead = moments(time.time() - HOUR)
    ahead[0] = int((time.time() + HOUR) * 1e6)  # it went two hours ahead then
    assert unread(ahead)
    behind = moments(time.time() + 1)
    behind[0] = int((time.time() - HOUR) * 1e6)  # files of that time have times of that clock
    assert unread(behind)
