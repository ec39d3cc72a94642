"""One run at a time: two runs started together, a killed holder, a holder that slept, a plan made too early."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from conftest import Figure
from control import Control, Outcome, ended
from terminal import Interactive

from nexus.provider import lab
from nexus.provider.lab.machine import wait_until

HOLD = "tests/scenarios/deploys/hold.py"
PAIRS, PAIRS_FULL = 3, 20
PAUSE_SECONDS = 3  # between two checks whether the lock is free
LEASE_SECONDS = 60  # a dead holder's lock ends within
RUN_SECONDS = 180
HELD = "is being changed by"
HOLD_SECONDS = 300  # more than any test needs: the test lets the holder end
OTHER: dict[str, Any] = {"nginx_hsts_seconds": 86400, "base_journal_bytes_max": "400M"}


@pytest.fixture
def settled(control: Control) -> Iterator[Control]:
    """The environment with its own settings, before and after."""
    assert (before := control.run()).status == 0, before.end
    release(control, False)
    yield control
    release(control)  # a holder that a failed test left
    control.converged()


# Process ids differ there, so no process here can tell whether one of them is dead, as on another machine.
ELSEWHERE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


def hold(control: Control, within: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Start a run that keeps changing something until it is released."""
    os.environ["HOLD_SECONDS"] = str(HOLD_SECONDS)
    return control.start(deploy=HOLD, within=within)


def release(control: Control, yes: bool = True) -> None:
    """Let holders end, or make later holders wait again."""
    command = "sudo touch" if yes else "sudo rm -f"
    control.everywhere(lambda name: control.ssh(name, f"{command} /run/nexus-hold-released"))


def finished(control: Control, seconds: int) -> Outcome:
    """Run such a holder to its end."""
    os.environ["HOLD_SECONDS"] = str(seconds)
    return control.run(deploy=HOLD)


def held(control: Control) -> bool:
    """Whether any run holds the lock, as reported to an operator who wants to break it."""
    return "the lock is held by" in control.run(deploy="deploys/unlock.py").output


def any_ended(runs: list[subprocess.Popen[str]]) -> bool:
    return any(run.poll() is not None for run in runs)


def test_of_two_runs_started_together_one_continues(settled: Control, full: bool, figure: Figure) -> None:
    told = []
    for number in range(PAIRS_FULL if full else PAIRS):
        release(settled, False)
        pair = [hold(settled) for _ in range(2)]
        assert wait_until(partial(any_ended, pair), RUN_SECONDS)
        release(settled)
        ends = sorted(ended(running, RUN_SECONDS) for running in pair)
        assert [status for status, _ in ends] == [0, 1], f"pair {number + 1}: {[text[-800:] for _, text in ends]}"
        assert HELD in ends[1][1], ends[1][1][-800:]
        assert "process" in ends[1][1]
        assert "Nothing was changed on any host." in ends[1][1]
        told.append(number)
    figure("lock: pairs of runs, one continued and one was refused", f"{len(told)} of {len(told)}")


def test_a_holder_that_died_here_loses_its_lock_at_once(settled: Control, figure: Figure) -> None:
    running = hold(settled)
    assert wait_until(lambda: held(settled), 60)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    done = finished(settled, 1)
    assert done.status == 0, done.end
    assert "lock: taken over from process" in done.output
    assert "died before it ended" in done.output
    figure("lock: a run after its holder died on this machine", done.seconds)


@pytest.mark.full
def test_a_killed_holders_lock_is_free_within_a_minute(settled: Control, figure: Figure) -> None:
    running = hold(settled, ELSEWHERE)
    assert wait_until(lambda: held(settled), 60)
    began = time.monotonic()
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    refused = finished(settled, 1)
    assert refused.status == 1
    assert HELD in refused.output
    done = refused
    while done.status and time.monotonic() - began < LEASE_SECONDS + 15:
        time.sleep(PAUSE_SECONDS)
        done = finished(settled, 1)
    free = time.monotonic() - began - done.seconds
    assert done.status == 0, done.end
    assert free <= LEASE_SECONDS
    figure("lock: free after its holder was killed", free)
    assert "died before it ended" in done.output
    told = settled.run(deploy="deploys/history.py", data={"history_runs": 2}).output
    assert "died before it ended" in told
    assert told.count(HOLD) == 2


@pytest.mark.full
def test_a_holder_that_slept_past_its_lock_changes_nothing(settled: Control, figure: Figure) -> None:
    before = settled.state()
    running = settled.start(data=OTHER)
    assert running.stdout
    said = []
    for line in running.stdout:
        said.append(line)
        if "base: change" in line:
            break
    os.killpg(running.pid, signal.SIGSTOP)
    slept = time.monotonic()
    settled.ssh(settled.names[-1], "echo '# by hand' | sudo tee -a /etc/hosts >/dev/null")  # for a run to fix
    second = settled.run()
    while HELD in second.output and time.monotonic() - slept < LEASE_SECONDS + 30:
        time.sleep(PAUSE_SECONDS)
        second = settled.run()
    assert second.status == 0, second.end
    figure("lock: free after its holder was stopped", time.monotonic() - slept - second.seconds)
    assert settled.state() == before
    os.killpg(running.pid, signal.SIGCONT)
    status, text = ended(running, RUN_SECONDS)
    text = "".join(said) + text
    assert status == 1, text[-2000:]
    assert "can no longer change anything" in text or "refused: this run holds number" in text, text[-2000:]
    assert settled.state() == before
    third = settled.run()
    assert (third.status, third.changes) == (0, []), third.end


@pytest.mark.full
def test_a_run_that_planned_too_early_asks_again(settled: Control) -> None:
    """The run waits for its operator while another run changes hosts: its plan is out of date."""
    waiting = Interactive(settled, OTHER)
    waiting.read_until("Press enter to execute")
    assert settled.run(data=OTHER).status == 0
    waiting.answer("\n")
    text = waiting.end()
    assert "changed while this run looked at it: asked again" in text, text[-2000:]
    assert waiting.status == 0, text[-2000:]
    assert "0 changes" in text, text[-2000:]


def test_a_lock_taken_away_is_lost(settled: Control) -> None:
    running = hold(settled)
    assert wait_until(lambda: held(settled), 60)
    looked = settled.run(deploy="deploys/unlock.py")
    assert looked.status == 1
    assert "Take the lock away only from a run that hangs" in looked.output
    assert held(settled)
    taken = settled.run(deploy="deploys/unlock.py", data={"yes": True})
    assert taken.status == 0, taken.end
    assert not held(settled)
    release(settled)
    ended(running, RUN_SECONDS)
    assert finished(settled, 1).status == 0


@pytest.mark.full
def test_the_lock_outlives_the_host_that_it_was_taken_on(settled: Control) -> None:
    """etcd's other members know the holder; a run that does not reach the host continues."""
    first, *others = settled.group("etcd")
    if len(others) < 2:
        pytest.skip(f"{settled.name} has one member of etcd")
    os.environ["HOLD_SECONDS"] = str(LEASE_SECONDS + 15)
    limits = [word for name in settled.names if name != first for word in ("--limit", name)]
    running = settled.start(*limits, deploy=HOLD)
    try:
        assert wait_until(lambda: held(settled), 60)
        settled.host(first).kill()
        time.sleep(LEASE_SECONDS)
        os.environ["HOLD_SECONDS"] = "1"
        refused = settled.run(deploy=HOLD, data={"without": first})
        assert refused.status == 1
        assert HELD in refused.output, refused.end
        status, text = ended(running, RUN_SECONDS)
        assert status == 0, text[-2000:]
    finally:
        lab.up(settled.lab)


def test_reading_needs_no_lock(settled: Control) -> None:
    running = hold(settled)
    assert wait_until(lambda: held(settled), 60)
    for done in (settled.run("--dry", data=OTHER), settled.run(), settled.run(deploy="deploys/drift.py")):
        assert done.status == 0, done.end
    assert running.poll() is None, "the holder ended before it could be in the way"
    release(settled)
    assert ended(running, RUN_SECONDS)[0] == 0
