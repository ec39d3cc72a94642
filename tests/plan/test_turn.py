"""Turns on a host: steps run one by one, and only the same run may continue in parallel to its own steps."""

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
    """A host where run 7 was the last."""
    monkeypatch.setattr(module, "LOCK", str(tmp_path / "lock"))
    monkeypatch.setattr(module, "PARALLEL", str(tmp_path / "parallel"))
    monkeypatch.setattr(lib, "FENCE", str(tmp_path / "fence.json"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)  # only root waits for turns
    (tmp_path / "fence.json").write_text(json.dumps({"run": RUN, "steps": 3}))
    return tmp_path


def waits(alone: bool, number: int | None) -> bool:
    """Whether a step or question of a run would wait now."""
    with open(module.LOCK, "a") as lock:
        return not module._try_lock(lock.fileno(), alone, number)


def test_steps_are_exclusive_and_questions_are_parallel() -> None:
    with turn(alone=True, number=RUN):
        assert all(waits(alone, RUN) for alone in (True, False))
    with turn(alone=False, number=RUN):
        assert waits(alone=True, number=RUN)
        assert not waits(alone=False, number=None)
    assert not waits(alone=True, number=None)


def test_steps_in_the_background_let_their_run_continue() -> None:
    with turn(alone=True, number=RUN) as allow_parallel:
        allow_parallel()
        assert not any(waits(alone, RUN) for alone in (True, False))
        with turn(alone=True, number=RUN) as allow_other:
            assert waits(alone=False, number=RUN)
            allow_other()
            assert not waits(alone=True, number=RUN)


@pytest.mark.parametrize("number", [RUN - 1, RUN + 1, None])
def test_another_run_waits_for_every_step_begun(number: int | None) -> None:
    with turn(alone=True, number=RUN) as allow_parallel:
        allow_parallel()
        with turn(alone=True, number=RUN) as allow_other:
            allow_other()
            assert all(waits(alone, number) for alone in (True, False))
        assert all(waits(alone, number) for alone in (True, False))
    assert not any(waits(alone, number) for alone in (True, False))


def test_without_a_run_number_everyone_waits(place: Path) -> None:
    (place / "fence.json").unlink()
    with turn(alone=True, number=None) as allow_parallel:
        allow_parallel()
        assert waits(alone=False, number=None)


def test_a_wait_that_is_too_long_names_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0)
    with turn(alone=True, number=RUN) as allow_parallel:
        allow_parallel()
        with pytest.raises(RemoteError, match="lslocks | grep nexus-cos".replace("|", r"\|")), turn(alone=True):
            pass
