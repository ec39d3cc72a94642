"""A question ahead of its turn: asked once the hosts that it concerns are as planned, and only believed if all are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from roles.kit.ahead import Ahead
from roles.kit.environment import Environment
from roles.kit.error import OperatorError
from roles.kit.run import Run
from tests.plan.cluster import environment

GROUPS = {"data1": "etcd postgresql", "edge1": "edge", "app1": "app", "ops1": "ops storage"}


class Compared(Run):
    """Notes which host is compared when; those of `differ` are not as planned."""

    def __init__(self, env: Environment, events: list[str], differ: str) -> None:
        super().__init__(env)
        self.events, self.differ = events, differ

    def _same(self, name: str) -> bool:
        self.events.append(name)
        return name not in self.differ.split()


@pytest.fixture
def compared(tmp_path: Path) -> Callable[[str], tuple[Compared, list[str]]]:
    def make(differ: str) -> tuple[Compared, list[str]]:
        events: list[str] = []
        run = Compared(environment(tmp_path, groups=GROUPS), events, differ)
        run.ahead = Ahead({"app1", "edge1"}, lambda: events.append("asked") or "an answer")
        return run, events

    return make


def test_it_is_asked_when_its_hosts_are_as_planned_and_before_others_are_looked_at(compared: Any) -> None:
    run, events = compared("")
    assert run.settled()
    assert sorted(events[:2]) == ["app1", "edge1"]
    assert run.ahead.answer() == "an answer"
    assert sorted(events[2:]) == ["asked", "data1", "ops1"]


def test_it_is_not_asked_where_one_of_its_hosts_differs(compared: Any) -> None:
    run, events = compared("edge1")
    assert not run.settled()
    assert run.ahead.answer() is None
    assert "asked" not in events


def test_it_is_forgotten_when_everything_is_to_be_asked_anew(compared: Any) -> None:
    run, _ = compared("")
    assert run.settled()
    run.again()
    assert run.ahead is None


def test_no_answer_is_none(compared: Any) -> None:
    run, _ = compared("")

    def fail() -> None:
        raise OperatorError("nobody is there")

    run.ahead = Ahead({"edge1"}, fail)
    assert run.settled()
    assert run.ahead.answer() is None
