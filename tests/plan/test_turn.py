"""Whose turn it is on a host: steps one after the other, and beside what a run has begun that run alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from nexus.agent import lib
from nexus.agent import turn as module
from nexus.agent.lib import RemoteError
from nexus.agent.turn import turn

RUN = 7


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host on which run 7 was the last."""
    monkeypatch.setattr(module, "LOCK", str(tmp_path / "lock"))
    monkeypatch.setattr(module, "PARALLEL", str(tmp_path / "parallel"))
    monkeypatch.setattr(lib, "FENCE", str(tmp_path / "fence.json"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)  # whoever is not root waits for nobody
    (tmp_path / "fence.json").write_text(json.dumps({"run": RUN, "steps": 3}))
    return tmp_path


def waits(alone: bool, number: int | None) -> bool:
    """Whether a step or a question of a run would wait now."""
    with open(module.LOCK, "a") as lock:
        return not module._try_lock(lock.fileno(), alone, number)


def test_a_step_is_alone_and_questions_are_beside_each_other() -> None:
    with turn(alone=True, number=RUN):
        assert all(waits(alone, RUN) for alone in (True, False))
    with turn(alone=False, number=RUN):
        assert waits(alone=True, number=RUN)
        assert not waits(alone=False, number=None)
    assert not waits(alone=True, number=None)


def test_what_a_run_has_begun_goes_on_beside_its_other_steps_and_questions() -> None:
    with turn(alone=True, number=RUN) as allow_parallel:
        allow_parallel()
        assert not any(waits(alone, RUN) for alone in (True, False))
        with turn(alone=True, number=RUN) as allow_other:
            assert waits(alone=False, number=RUN)
            allow_other()
            assert not waits(alone=True, number=RUN)


@pytest.mark.parametrize("number", [RUN - 1, RUN + 1, None])
def test_whoever_is_of_another_run_waits_for_all_that_was_begun(number: int | None) -> None:
    with turn(alone=True, number=RUN) as allow_parallel:
        allow_parallel()
        with turn(alone=True, number=RUN) as allow_other:
            allow_other()
            assert all(waits(alone, number) for alone in (True, False))
        assert all(waits(alone, number) for alone in (True, False))
    assert not any(waits(alone, number) for alone in (True, False))


def test_a_host_that_no_run_has_numbered_lets_nobody_in(place: Path) -> None:
    (place / "fence.json").unlink()
    with turn(alone=True, number=None) as allow_parallel:
        allow_parallel()
        assert waits(alone=False, number=None)


def test_whoever_has_waited_too_long_is_told_whose_process_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0)
    with turn(alone=True, number=RUN) as allow_parallel:
        allow_parallel()
        with pytest.raises(RemoteError, match="lslocks | grep nexus-cos".replace("|", r"\|")), turn(alone=True):
            pass
