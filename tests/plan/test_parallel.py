"""Questions to a host in parallel: each has its own answer, and none delays the others for long."""

from __future__ import annotations

import sys
import threading
from types import ModuleType

import pytest

from nexus.agent import parts
from nexus.agent.parallel import Answers


def test_all_are_asked_at_once() -> None:
    meeting = threading.Barrier(3)
    answers = Answers({name: lambda: meeting.wait(60) for name in "abc"})
    assert sorted(answers.wait().values()) == [0, 1, 2]


def test_a_slow_question_has_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    module = ModuleType("nexus_test_parts")
    nothing: dict[str, int] = {}
    acts = {"quick": lambda context: context, "slow": lambda _: go.wait(60), "bad": lambda _: nothing["x"]}
    module.PARTS = acts  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    part = {"module": module.__name__, "context": {"y": 1}}
    try:
        found = parts.probe(["slow", "quick", "bad"], {"parts": dict.fromkeys(acts, part), "seconds": 1})
    finally:
        go.set()
    assert found["quick"] == {"y": 1}
    assert found["slow"] == {"error": "no answer within 1 s"}
    assert found["bad"] == {"error": "KeyError: 'x'"}
