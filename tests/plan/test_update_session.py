"""One host in an update, step by step, and what stands where if a step fails. Steps are recorded, not sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nexus.error import OperatorError
from nexus.run.row import SILENT, Row
from nexus.run.runbook import Act
from roles.apt.host.pending import Update
from runbooks import update
from runbooks.update import drain, session
from runbooks.update.plan import Found, Store, Visit, Wish
from runbooks.update.record import Record
from runbooks.update.session import Session
from runbooks.update.situation import now
from tests.plan.environments import LAB, environment
from tests.plan.fake_run import FakeRun

OPENSSL = Update("openssl", "3.5.1", "3.5.2", True)
ORDER = "security=true reboot=needed 2026-11-30T09:00:00+00:00"


class Steps(FakeRun):
    """The run and its situation: whatever is done is a line in `lines`; `fails` is the line that fails."""

    def __init__(self, directory: Path) -> None:
        self.environment = self.env = environment(directory, {**LAB, "data2": "postgresql"})
        self.run, self.lines, self.fails = self, list[str](), ""
        self.leads, self.due, self.missed, self.late = "data1", list[str](), list[Row](), list[Row]()
        self.stores_by_role = {"postgresql": SimpleNamespace(STORE="postgresql", TITLE="PostgreSQL", move=self.move)}

    def do(self, line: str) -> None:
        self.lines.append(line)
        if self.fails and line.startswith(self.fails):
            raise OperatorError(f"{line}: it failed")

    def move(self, run: Any, host: str, to: str) -> list[Act]:
        return [Act(f"Move to {to}", lambda: self.do(f"move {host} -> {to}"))]

    def module(self, store: str) -> Any:
        return self.stores_by_role[store]

    def stores(self) -> list[Store]:
        return [Store("postgresql", "PostgreSQL", ("data1", "data2"), (self.leads,))]

    def alerts(self, name: str) -> list[str]:
        return []

    def needed(self, name: str) -> str:
        return ""

    def watch(self, run: Any, name: str, what: str, ask: Any, done: Any, seconds: float) -> None:
        self.lines.append("watch")
        if not done(answer := ask()):
            raise OperatorError(f"{what} did not end: {answer}")

    def status(self) -> tuple[list[Row], dict[str, Any]]:
        return [*self.missed, *(self.late and [self.late.pop()])], {}

    def note(self, name: str, record: Record) -> None:
        self.lines.append(f"note {name} {record.step}{' drained' if record.drained else ''}")

    def drop_all(self) -> None:
        pass


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Steps:
    found = Steps(tmp_path)

    @contextmanager
    def silent(run: Any, name: str, why: str, seconds: float, alerts: list[str]) -> Iterator[None]:
        found.do(f"silence {name}")
        try:
            yield
        finally:
            found.lines.append(f"end of silence {name}")

    def line(word: str) -> Callable[..., None]:
        return lambda run, name, *rest: found.do(f"{word} {name}")

    monkeypatch.setattr(session, "silenced_host", silent)
    monkeypatch.setattr(session, "carry_out", line("carry out"))
    monkeypatch.setattr(session, "reboot", line("reboot"))
    monkeypatch.setattr(session, "state", lambda name: {"boot": "1", "reboot": found.due})
    monkeypatch.setattr(session, "watch", found.watch)
    monkeypatch.setattr(drain, "drains", lambda run, name: name.startswith("app"))
    monkeypatch.setattr(drain, "drain", line("drain"))
    monkeypatch.setattr(drain, "activate", line("activate"))
    return found


def take(steps: Steps, *visits: Visit, when: str = "needed") -> Session:
    one = Session(steps, ORDER, visits, when)
    for each in one.acts()[1:]:
        each.do()
    return one


def test_a_host_is_drained_updated_rebooted_and_back(steps: Steps) -> None:
    take(steps, Visit("app1", (OPENSSL,), "reboot-required", True))
    assert steps.lines == [
        "silence app1",
        "watch",
        "note app1 leaves drained",
        "drain app1",
        "note app1 changes drained",
        "carry out app1",
        "reboot app1",
        "note app1 returns drained",
        "activate app1",
        "watch",
        "end of silence app1",
        "note app1 done",
    ]


def test_a_leader_leaves_before_its_host_stops(steps: Steps) -> None:
    take(steps, Visit("data1", (), "reboot-required", True))
    assert steps.lines.index("move data1 -> data2") < steps.lines.index("reboot data1")
    assert "drain data1" not in steps.lines


def test_a_package_without_a_daemon_moves_nothing(steps: Steps) -> None:
    take(steps, Visit("data1", (OPENSSL,), "", False))
    assert steps.lines == ["note data1 changes", "carry out data1", "watch", "note data1 done"]


@pytest.mark.parametrize(("when", "reboots"), [("needed", True), ("never", False)])
def test_a_reboot_that_a_package_asks_for(steps: Steps, when: str, reboots: bool) -> None:
    steps.due = ["reboot-required"]
    take(steps, Visit("app1", (OPENSSL,), "", False), when=when)
    assert ("reboot app1" in steps.lines) == reboots
    assert ("drain app1" in steps.lines) == reboots
    assert ("activate app1" in steps.lines) == reboots


@pytest.mark.parametrize("fails", ["drain", "carry out", "reboot"])
def test_nothing_stays_drained_after_a_failure(steps: Steps, fails: str) -> None:
    steps.fails = f"{fails} app1"
    with pytest.raises(OperatorError) as refused:
        take(steps, Visit("app1", (OPENSSL,), "reboot-required", True), Visit("app2", (), "reboot-required", True))
    assert steps.lines[steps.lines.index(f"{fails} app1") + 1] == "activate app1"
    for line in (f"{fails} app1: it failed", "done: no host", "stopped at: app1", "not begun: app2"):
        assert line in str(refused.value)
    assert not [line for line in steps.lines if "app2" in line]
    assert "note app1 done" not in steps.lines


def test_both_reasons_are_told_if_it_stays_drained(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(run: Any, name: str) -> None:
        raise OperatorError("IS STILL DRAINED")

    monkeypatch.setattr(drain, "activate", refuse)
    steps.fails = "reboot app1"
    with pytest.raises(OperatorError, match=r"(?s)reboot app1: it failed.*IS STILL DRAINED"):
        take(steps, Visit("app1", (), "reboot-required", True))


def test_the_next_host_waits_for_all_to_be_in_service(steps: Steps) -> None:
    steps.missed = [Row("redis", "cache", "no primary", "one", "wait")]
    with pytest.raises(OperatorError, match=r"(?s)did not end: .*redis cache: no primary.*not begun: app2"):
        take(steps, Visit("app1", (), "reboot-required", True), Visit("app2", (), "reboot-required", True))
    assert steps.lines[-1] == "end of silence app1"


def test_a_host_that_was_left_drained_is_brought_back(steps: Steps) -> None:
    one = Session(steps, ORDER, [Visit("app1", (), "", False, unfinished=True)], "needed")
    (act,) = one.acts()
    act.do()
    assert steps.lines == ["activate app1", "watch", "note app1 changes", "watch", "note app1 done"]
    assert one.done == ["app1"]


def test_a_host_that_was_left_stays_while_another_is_missing(steps: Steps) -> None:
    steps.missed = [Row("etcd", "quorum", "2 of 3", "all", "bring data3 back")]
    (act,) = Session(steps, ORDER, [Visit("data2", (), "reboot-required", True, unfinished=True)], "needed").acts()
    with pytest.raises(OperatorError, match="bring data3 back"):
        act.do()
    assert steps.lines == ["watch"]


@pytest.fixture
def asked(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> Steps:
    """The plan of an update, with answers of hosts from the test."""
    steps.found = {host.name: Found() for host in steps.env.hosts}
    steps.dry, steps.notes = False, list[str]()
    monkeypatch.setattr(Steps, "look", lambda self, names: self.found, raising=False)
    monkeypatch.setattr(Steps, "note", lambda self, role, text: self.notes.append(text))
    monkeypatch.setattr(update, "Situation", lambda run: steps)
    return steps


def what(steps: Steps, host: str = "", **wish: Any) -> list[str]:
    return [act.what for act in update.forward(steps, host, "", Wish(**wish))]


def test_an_update_has_an_act_for_each_host(asked: Steps) -> None:
    asked.found["data1"] = asked.found["data2"] = Found((Update("patroni", "1", "2", True),))
    asked.found["app1"] = Found((OPENSSL,))
    assert what(asked) == [
        "Note the order on app1, data2, data1",
        "Update app1: openssl 3.5.1 -> 3.5.2; no reboot",
        "Update data2: patroni 1 -> 2; no reboot",
        "Update data1: PostgreSQL moves to data2 first; patroni 1 -> 2; no reboot",
    ]
    assert what(asked, host="app1")[1:] == ["Update app1: openssl 3.5.1 -> 3.5.2; no reboot"]


def test_the_only_host_of_a_group_is_told(asked: Steps) -> None:
    assert what(asked, host="edge1", reboot="always")[1:] == [
        "Update edge1: no package; then reboot it (reboot=always)"
    ]
    assert asked.notes == ["edge1 is the only host of edge: what it does there stops meanwhile"]


def test_nothing_is_asked_of_an_environment_without_updates(asked: Steps) -> None:
    asked.missed = [Row("redis", "cache", "no primary", "one", "wait")]
    assert what(asked) == []


def test_an_unhealthy_environment_is_not_updated(asked: Steps) -> None:
    asked.missed = [Row("redis", "cache", "no primary", "one", "wait")]
    with pytest.raises(OperatorError, match=r"(?s)no host was updated.*redis cache: no primary"):
        what(asked, reboot="always")
    asked.dry = True
    assert len(what(asked, reboot="always")) == 1 + len(asked.env.hosts)
    assert any("redis cache: no primary" in note for note in asked.notes)


def test_a_host_that_answers_too_late_is_asked_again(asked: Steps) -> None:
    late = Row("host", "data2", SILENT, "", "no answer within 8 s")
    asked.late = [late]
    assert len(what(asked, reboot="always")) == 1 + len(asked.env.hosts)
    asked.late = [late, late]
    with pytest.raises(OperatorError, match=r"host data2: does not say. no answer within 8 s"):
        what(asked, reboot="always")


def test_an_update_that_stopped_is_continued_although_its_host_is_missing(asked: Steps) -> None:
    at = now().isoformat(timespec="seconds")
    asked.missed = [Row("swarm", "nodes", "7 of 8", "all", "wait")]
    asked.found["app2"] = Found(record=Record(f"{Wish()} {at}", "changes", at, drained=True))
    assert what(asked) == ["Update app2: an earlier update stopped there; no package; no reboot"]
    assert what(asked, host="app1") == what(asked)


def test_an_unknown_package_is_told(asked: Steps) -> None:
    assert what(asked, packages=("opensll",)) == []
    assert asked.notes == ["no newer version is known of opensll"]
