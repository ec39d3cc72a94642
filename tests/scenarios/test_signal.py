"""Runs that a signal stops while hosts change: they report it and free the lock, and the next run finishes the work."""

from __future__ import annotations

import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from change_set import LIGHT
from conftest import Figure
from control import HELD, Control, Outcome, ended
from partition import out_of_reach
from terminal import Interactive

from nexus.provider import lab

REASON = lab.reason_lab_cannot_run()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"no lab on this machine: {REASON}")

SECOND = 1.0  # between two signals: giving the lock back to a host that does not answer takes half a minute

# (signal, role whose first change it interrupts)
POINTS = [
    pytest.param(signal.SIGINT, "rabbitmq", id="SIGINT-rabbitmq"),
    pytest.param(signal.SIGTERM, "postgresql", id="SIGTERM-postgresql", marks=pytest.mark.full),
    pytest.param(signal.SIGHUP, "etcd", id="SIGHUP-etcd", marks=pytest.mark.full),
    pytest.param(signal.SIGINT, "redis", id="SIGINT-redis", marks=pytest.mark.full),
    pytest.param(signal.SIGINT, "service", id="SIGINT-service", marks=pytest.mark.full),
]


@pytest.fixture
def settled(control: Control) -> Iterator[Control]:
    """The converged environment; its own settings are restored afterwards."""
    yield control
    control.converged()
    assert control.run().closing[0] == 0


def stopped(control: Control, number: signal.Signals, role: str, data: dict[str, Any]) -> Outcome:
    """A run that gets a signal right after a role has announced its first change."""

    def send(running: subprocess.Popen[str]) -> nullcontext[None]:
        running.send_signal(number)
        return nullcontext()

    return control.disturbed(role, 0, 0.2, send, data=data)


@pytest.mark.parametrize(("number", "role"), POINTS)
def test_a_stopped_run_says_so_and_frees_the_lock(
    settled: Control, number: signal.Signals, role: str, figure: Figure
) -> None:
    data = {name: value for name, value in LIGHT.items() if name.startswith(role)}
    done = stopped(settled, number, role, data)
    assert done.status == 128 + number, done.end
    assert f"INCOMPLETE: stopped by {number.name}" in done.output, done.end
    assert "while hosts were changed" in done.output, done.end
    assert f"{role}: " in done.output.partition("INCOMPLETE: stopped")[2], done.end
    assert "Run the same command again to continue." in done.output, done.end
    assert "INCOMPLETE on " in done.output, done.end
    assert "more begun" in done.output, done.end
    assert "Traceback" not in done.output, done.output
    told = settled.run(deploy="deploys/history.py", data={"since": "15m"}).output
    assert f"interrupted by {number.name}" in told, told
    assert "(not finished)" in told, told
    after = settled.run(data=data)
    assert HELD not in after.output, after.end
    assert after.status == 0, after.end
    assert after.closing[1] == after.closing[2] > 0, after.end
    figure(f"signal: {number.name} while {role} changes, next run", after.seconds)


@pytest.mark.full
def test_a_second_signal_ends_at_once(settled: Control) -> None:
    """No host can be reached, so giving the lock back would take a long wait."""

    @contextmanager
    def twice(running: subprocess.Popen[str]) -> Iterator[None]:
        with out_of_reach(settled):
            running.send_signal(signal.SIGINT)
            time.sleep(SECOND)
            assert running.poll() is None, "it had ended before the second signal"
            running.send_signal(signal.SIGINT)
            assert running.wait(5) == 130
        yield

    done = settled.disturbed("nginx", 0, 0, twice, data={"nginx_hsts_seconds": 86400})
    assert "INCOMPLETE: ended at once" in done.output, done.end


def test_stopped_at_the_question_whether_to_change(settled: Control) -> None:
    asking = Interactive(settled, {"nginx_hsts_seconds": 86400})
    asking.read_until("Press enter")
    asking.send(signal.SIGINT)
    said = asking.end()
    assert asking.status == 130, said
    assert "Nothing was changed on any host." in said
    assert "Traceback" not in said


def test_a_lost_terminal_frees_the_lock(settled: Control) -> None:
    changing = Interactive(settled, {"rabbitmq_disk_free_limit_mb": 500})  # a change that takes seconds
    changing.read_until("Press enter")
    changing.answer("\n")
    changing.read_until("rabbitmq: change")
    changing.hang_up()
    assert changing.status == 129
    after = settled.run()
    assert HELD not in after.output, after.end
    assert "is dead" not in after.output, "the lock was not given back"
    assert after.status == 0, after.end


@pytest.mark.full
def test_a_stopped_release_is_continued(settled: Control) -> None:
    data = {"services": "session-mgr", "release": f"9.0.{uuid.uuid4().int % 10**9}", "build": True}
    running = settled.start(deploy="deploys/release.py", data=data)
    lines = _read_until(running, "Release 9.0")
    running.send_signal(signal.SIGINT)
    status, later = ended(running, 120)
    text = lines + later
    assert status == 130, text
    assert "INCOMPLETE: stopped by SIGINT" in text, text
    assert "Release 9.0" in later.partition("under way")[2], text
    done = settled.run(deploy="deploys/release.py", data=data)
    assert done.status == 0, done.end
    assert settled.run(deploy="deploys/rollback.py", data={"services": "session-mgr"}).status == 0


@pytest.mark.full
def test_a_stopped_rotation_is_continued(settled: Control) -> None:
    running = settled.start(deploy="deploys/rotate_secrets.py", data={"secrets": "redis"})
    lines = _read_until(running, "redis: change")
    running.send_signal(signal.SIGTERM)
    status, later = ended(running, 120)
    assert status == 143, lines + later
    assert "INCOMPLETE: stopped by SIGTERM" in later, lines + later
    done = settled.run(deploy="deploys/rotate_secrets.py")
    assert done.status == 0, done.end


@pytest.mark.full
def test_a_stopped_restore_frees_the_lock(settled: Control) -> None:
    running = settled.start(deploy="deploys/restore.py", data={"service": "auth-service"})
    lines = _read_until(running, "1/1: Restore")
    running.send_signal(signal.SIGINT)
    status, later = ended(running, 120)
    assert status == 130, lines + later
    assert "INCOMPLETE: stopped by SIGINT" in later, lines + later
    assert HELD not in settled.run(deploy="deploys/unlock.py").output


def _read_until(running: subprocess.Popen[str], words: str) -> str:
    """The output of a run up to these words."""
    lines = []
    assert running.stdout
    for line in running.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError(f"ended without: {words}\n{''.join(lines[-40:])}")
