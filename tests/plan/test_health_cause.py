"""When a run stops waiting for services: a cause is known, and nothing makes progress."""

from __future__ import annotations

from typing import Any

import pytest

from roles.health import cause
from tests.plan.fake_run import FakeRun


class Run(FakeRun):
    """The parts of a run that a watch needs."""

    def __init__(self) -> None:
        self.causes: list[str] = []
        self.said: list[str] = []

    def note(self, role: str, text: str) -> None:
        self.said.append(f"{role}: {text}")


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


PROXY = "app1: proxy: proxy section redis: set by hand: server data1 is in MAINT"
OWN = "app1: service: service glitch: replicas 0 -> 2"


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Any:
    clock, found = Clock(), [PROXY]
    monkeypatch.setattr(cause, "time", clock)
    monkeypatch.setattr(cause, "known_causes", lambda run: list(found))
    run: Any = Run()
    return run, cause.Watch(run, run), clock, found


def later(clock: Clock, watch: cause.Watch, waiting: list[str], seconds: int) -> list[bool]:
    answers = []
    for _ in range(seconds):
        answers.append(watch.hopeless(waiting))
        clock.now += 1
    return answers


def test_a_known_cause_is_reported_and_ends_a_stuck_wait(watched: Any) -> None:
    run, watch, clock, _ = watched
    assert later(clock, watch, ["auth-service"], 8) == [False] * 8
    assert run.said[0] == f"known cause: {PROXY}"
    assert any(later(clock, watch, ["auth-service"], 5))


def test_progress_restarts_the_wait(watched: Any) -> None:
    _, watch, clock, _ = watched
    later(clock, watch, ["a", "b"], 8)
    assert not any(later(clock, watch, ["a"], 8))


def test_without_a_cause_it_waits(watched: Any) -> None:
    _, watch, clock, found = watched
    found.clear()
    assert not any(later(clock, watch, ["a"], 120))


def test_a_service_that_differs_is_named_and_waited_for(watched: Any) -> None:
    run, watch, clock, found = watched
    found[:] = [OWN]
    assert not any(later(clock, watch, ["glitch"], 60))
    assert run.causes == [OWN]
