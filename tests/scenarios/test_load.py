"""A load test of the lab's edge: it sends what it says, once, and leaves nothing that still sends.

On the lab, or with NEXUS_ENV on an environment that is up.
"""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import pytest
from conftest import Figure
from control import PROJECT, Control, ended

from nexus.provider.lab.machine import processes
from runbooks.load_test.phase import phases

DEPLOY = "deploys/load_test.py"
SHORT = {"load_test_seconds_percent": 3}  # 15 seconds
STOP_SECONDS = 60


def generators() -> list[str]:
    """Processes that send load."""
    return [" ".join(each.command) for each in processes() if any("load_test/generator.py" in w for w in each.command)]


def report(control: Control) -> dict[str, Any]:
    """The report of the last load test."""
    found: dict[str, Any] = json.loads((PROJECT / "reports" / f"load-test-{control.name}.json").read_text())
    return found


def sends(control: Control, figure: Figure, **data: Any) -> None:
    """Every request is sent and answered; only times may miss their objectives, on a machine that has all hosts."""
    done = control.run(deploy=DEPLOY, data=data)
    found = report(control)
    wanted = phases(control.planned)
    assert [phase["phase"] for phase in found["phases"]] == [phase.name for phase in wanted], done.end
    assert all(phase["statuses"] == {"200": phase["requests"]} for phase in found["phases"]), done.end
    assert [phase["unsent"] for phase in found["phases"]] == [0] * len(wanted)
    assert [line for line in found["missed"] if " ms, at most " not in line] == []
    assert (done.status == 0) == (found["missed"] == []), done.end
    for phase in found["phases"][1:]:
        name = f"load test: {phase['phase']}, {phase['arrivals_per_second']} requests a second"
        figure(f"{name}: 95 % answered within", f"{phase['times_ms']['p95']:.1f} ms")
    assert f"reports/load-test-{control.name}.html" in done.output
    history = control.run("--data", "since=1h", deploy="deploys/history.py")
    assert "the load spike" in history.output, history.end


def test_a_short_load(control: Control, figure: Figure) -> None:
    sends(control, figure, **SHORT)
    assert generators() == []


@pytest.mark.full
def test_the_load_of_the_environment(control: Control, figure: Figure) -> None:
    sends(control, figure)


def test_the_load_is_shown_and_not_sent(control: Control) -> None:
    before = time.time()
    done = control.run("--dry", deploy=DEPLOY)
    assert done.status == 0, done.end
    assert "the load sustained: 10 requests a second" in done.output
    path = PROJECT / "reports" / f"load-test-{control.name}.json"
    assert not path.exists() or path.stat().st_mtime < before


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"edge": "data1"}, "edge=data1: data1 is not an edge host of"),
        ({"edge": "10.0.0.1"}, "edge=10.0.0.1"),
        ({"load_test_path": "/api/nothing/"}, "status 404"),
        ({"load_test_asks": True}, "users would feel this load"),
    ],
)
def test_a_load_that_is_refused(control: Control, data: dict[str, Any], said: str) -> None:
    done = control.run(deploy=DEPLOY, data=data)
    assert done.status == 1, done.end
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_stopped_load_test_sends_no_more(control: Control) -> None:
    running = control.start(deploy=DEPLOY)
    deadline = time.monotonic() + STOP_SECONDS
    while not generators() and time.monotonic() < deadline:
        time.sleep(0.2)
    running.send_signal(signal.SIGINT)
    status, text = ended(running, STOP_SECONDS)
    assert status == 130, text
    while generators() and time.monotonic() < deadline + STOP_SECONDS:  # answers that it waits for
        time.sleep(0.2)
    assert generators() == []
