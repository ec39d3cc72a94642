"""The lock's host-side code, run as on a host, with its own files: one holder, numbers that only grow."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nexus.agent import fence, lib
from nexus.agent.lib import RemoteError
from nexus.lock import liveness
from nexus.lock.host import lock

SECONDS = 45


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lock, "STATE", str(tmp_path))
    monkeypatch.setattr(lock, "FILE", str(tmp_path / "lock.json"))
    monkeypatch.setattr(lock, "TURN", str(tmp_path / "run" / "turn"))
    return tmp_path


def ask(action: str, who: str = "mina", **more: Any) -> dict[str, Any]:
    holder = {"token": who, "who": who, "since": "now", "purpose": "deploys/full.py"}
    context = {"etcd": None, "seconds": SECONDS, "holder": holder, "floor": 0, **more}
    return getattr(lock, action)(context)


def age(place: Path, seconds: float) -> None:
    """Make the holder's last renewal this much older."""
    content = json.loads((place / "lock.json").read_text())
    content["renewed"] -= seconds
    (place / "lock.json").write_text(json.dumps(content))


def test_a_second_run_learns_the_holder() -> None:
    assert ask("take")["number"] == 1
    assert ask("take", "noor")["held"]["who"] == "mina"
    assert ask("look")["holder"]["who"] == "mina"


def test_the_number_grows_with_every_holder() -> None:
    for number in (1, 2, 3):
        assert ask("take")["number"] == number
        ask("release")
        assert ask("look")["holder"] is None


def test_the_number_exceeds_every_number_hosts_have_seen() -> None:
    assert ask("take", floor=41)["number"] == 42


def test_a_lock_is_free_only_once_its_holder_is_dead(place: Path) -> None:
    ask("take")
    age(place, SECONDS - 5)
    assert "held" in ask("take", "noor")
    age(place, 10)
    assert ask("take", "noor")["number"] == 2


def test_a_holder_that_slept_loses_the_lock_to_the_next(place: Path) -> None:
    ask("take")
    age(place, SECONDS + 1)
    ask("take", "noor")
    assert "noor has held it since" in ask("renew", number=1)["lost"]
    ask("release", "noor")
    assert "lost" in ask("renew", number=1)


def test_a_holder_that_slept_continues_if_nobody_took_it(place: Path) -> None:
    ask("take")
    age(place, 10 * SECONDS)
    assert "lost" not in ask("renew", number=1)
    assert "held" in ask("take", "noor")


def test_a_lock_that_was_taken_away_is_never_renewed() -> None:
    ask("take")
    assert ask("force_release", "noor")["from"]["who"] == "mina"
    assert "lost" in ask("renew", number=1)
    assert ask("take", "noor")["number"] == 3


def test_a_lock_of_another_run_is_not_released() -> None:
    ask("take")
    ask("release", "noor")
    assert ask("look")["holder"]["who"] == "mina"


def test_a_reboot_of_the_host_restarts_the_lease(place: Path) -> None:
    ask("take")
    content = json.loads((place / "lock.json").read_text())
    (place / "lock.json").write_text(json.dumps({**content, "boot": "another"}))
    up = lock._now()["renewed"]
    assert "held" in ask("take", "noor", seconds=up + 5)
    assert "number" in ask("take", "noor", seconds=up - 5)


def attempt(who: str, answers: Any) -> None:
    answers.put(ask("take", who))


def test_one_of_many_attempts_gets_the_lock() -> None:
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    runs = [context.Process(target=attempt, args=(f"run{number}", answers)) for number in range(12)]
    for run in runs:
        run.start()
    found = [answers.get(timeout=60) for _ in runs]
    for run in runs:
        run.join()
    assert sorted(answer.get("number", 0) for answer in found) == [0] * 11 + [1]


def test_a_damaged_lock_file_is_reported_and_kept(place: Path) -> None:
    (place / "lock.json").write_text("{")
    with pytest.raises(RemoteError, match=r"lock.json cannot be read"):
        ask("take")


# Hosts refuse late runs


@pytest.fixture
def host(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (fence, lib):
        monkeypatch.setattr(module, "FENCE", str(place / "fence.json"))
    monkeypatch.setattr(fence, "STATE", str(place))
    return place / "fence.json"


def test_a_host_refuses_a_run_older_than_the_last_it_saw(host: Path) -> None:
    fence.enter({"do": "files", "fence": 7})
    fence.enter({"do": "files", "fence": 7})
    fence.enter({"do": "claim", "fence": 8})
    for late in (7, None):
        with pytest.raises(RemoteError, match="run 8 has taken the lock over since"):
            fence.enter({"do": "files", "fence": late})
    fence.enter({"do": "files", "fence": 8})
    assert json.loads(host.read_text()) == {"run": 8, "steps": 3}


def test_a_claim_reports_the_last_run_and_counts_as_no_step(host: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fence.enter({"do": "files", "fence": 1})
    fence.enter({"do": "claim", "fence": 2})
    assert json.loads(capsys.readouterr().out) == {"run": 1, "steps": 1}


def test_a_host_that_does_not_know_its_number_takes_no_step(host: Path) -> None:
    host.write_text("not a number")
    with pytest.raises(RemoteError, match="cannot be read"):
        fence.enter({"do": "files", "fence": 9})


def test_only_the_named_holder_loses_the_lock() -> None:
    ask("take", who="mina")
    assert ask("force_release", of="another") == {"from": None}
    assert ask("look")["holder"]["who"] == "mina"
    assert ask("force_release", of="mina")["from"]["who"] == "mina"
    assert ask("look")["holder"] is None


def test_a_dead_holder_is_known_only_on_its_own_machine() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        mine = liveness.identity()
        holder = {"machine": mine["machine"], "process": sleeper.pid, "began": liveness._began(sleeper.pid)}
        assert not liveness.dead({**mine, "process": os.getpid()})
        assert not liveness.dead(holder)
        assert liveness.dead({**holder, "began": holder["began"] - 1}), "another process has its number now"
    finally:
        sleeper.kill()
    deadline = time.monotonic() + 60
    while not liveness.dead(holder):  # killed, but its exit status is not collected yet
        assert time.monotonic() < deadline
    sleeper.wait()
    assert liveness.dead(holder)
    assert not liveness.dead({**holder, "machine": "another"})
    assert not liveness.dead({"who": "of a release that did not say", "process": sleeper.pid})
    assert not liveness.dead({})
