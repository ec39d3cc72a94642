"""Waiting on hosts: the number of attempts, and the message after a timeout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nexus.agent import wait
from nexus.agent.lib import RemoteError


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(wait, "time", clock)
    return clock


def answers(*values: Any) -> Callable[[], Any]:
    """A function that returns these in turn, and raises those that are errors."""
    left: Iterator[Any] = iter(values)

    def ask() -> Any:
        value = next(left)
        if isinstance(value, Exception):
            raise value
        return value

    return ask


def test_the_first_true_answer_ends_the_wait(clock: Clock) -> None:
    assert wait.wait_until(answers("", 0, "there"), 60, "nobody came", pause=2) == "there"
    assert clock.now == 104


def test_a_true_condition_is_not_waited_for(clock: Clock) -> None:
    assert wait.wait_until(answers(True), 0, "nobody came")
    assert clock.now == 100


def test_a_wait_ends_in_time_with_its_message(clock: Clock) -> None:
    with pytest.raises(wait.LateError, match=r"^nobody came$"):
        wait.wait_until(lambda: False, 10, "nobody came", pause=1)
    assert clock.now == 111, "tried once more when the time was over, and no more"


def test_an_error_of_a_condition_is_raised() -> None:
    with pytest.raises(RemoteError, match=r"^broken$"):
        wait.wait_until(answers(False, RemoteError("broken")), 10, "nobody came")


def test_only_named_errors_repeat_an_attempt() -> None:
    assert wait.repeat(answers(RemoteError("starts"), None), 10) is None
    assert wait.repeat(answers(OSError("starts"), KeyError("starts"), 3), 10, on=(OSError, KeyError)) == 3
    with pytest.raises(OSError, match=r"^broken$"):
        wait.repeat(answers(OSError("broken"), 3), 10)


@pytest.mark.parametrize(("message", "said"), [("waited", r"^waited: second$"), ("", "^second$")])
def test_a_timeout_reports_the_last_error(message: str, said: str) -> None:
    with pytest.raises(wait.LateError, match=said):
        wait.repeat(answers(RemoteError("first"), RemoteError("second")), 1, message, pause=2)


def test_the_failure_of_another_host_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def failed(role: str) -> None:
        asked.append(role)
        raise RemoteError("data2 failed")

    monkeypatch.setattr(wait, "expect_others", failed)
    with pytest.raises(RemoteError, match=r"^data2 failed$"):
        wait.wait_until(lambda: False, 60, "nobody came", role="etcd")
    assert asked == ["etcd"]
