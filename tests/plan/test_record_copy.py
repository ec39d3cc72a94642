"""The record on two hosts: each run leaves its lines on both, and a host that was replaced gets them back."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from nexus.audit import storage, writer
from nexus.audit.host import record
from nexus.error import OperatorError
from nexus.run import host_wide
from tests.plan.environments import environment


class Hosts:
    """Two hosts with a record each, in directories; stands for the client that asks them."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory, self.patch = directory, monkeypatch
        monkeypatch.setattr(record, "TURN", str(directory / "run" / "turn"))
        monkeypatch.setattr(record, "_append_only", lambda handle: None)
        self.asked: list[str] = []
        self.down = ""
        for module in (storage, writer):
            monkeypatch.setattr(module, "HostClient", lambda name: SimpleNamespace(act_aside=partial(self.act, name)))

    def act(self, name: str, source: Path, function: str, context: dict[str, Any], seconds: float = 0) -> Any:
        self.asked.append(f"{name} {function}")
        if name == self.down:
            raise OperatorError(f"{name} cannot be reached")
        self.patch.setattr(record, "DIRECTORY", str(self.directory / name))
        return getattr(record, function)(context)

    def lines(self, name: str) -> list[tuple[str, str]]:
        found = self.act(name, Path(), "read", {"since": 0})
        assert found["broken"] == []
        return sorted(storage.identity(line) for line in found["lines"])

    def told(self, name: str, *runs: str) -> None:
        """Complete runs on the record of one host."""
        for run in runs:
            self.patch.setattr(record, "DIRECTORY", str(self.directory / name))
            for event in ("begin", "end"):
                getattr(record, event)({"line": {"event": event, "run": run, "time": time.time(), "who": "mina"}})

    def exchange(self) -> None:
        """What a run does on hosts whose newest lines differ."""
        read = {name: self.act(name, Path(), "read", {"since": 0})["lines"] for name in ("ops1", "data1")}
        storage.exchange({name: max((line["time"] for line in lines), default=0) for name, lines in read.items()})


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hosts:
    return Hosts(tmp_path, monkeypatch)


def test_two_hosts_give_each_other_the_lines_that_one_lacks(hosts: Hosts) -> None:
    hosts.told("ops1", "a", "b")
    hosts.exchange()
    assert hosts.lines("data1") == hosts.lines("ops1")
    hosts.told("data1", "c")  # a run without ops1
    hosts.told("ops1", "d")
    hosts.exchange()
    assert hosts.lines("data1") == hosts.lines("ops1")
    assert len(hosts.lines("ops1")) == 8


def test_a_host_that_was_replaced_gets_the_whole_record(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "LINES_MOST", 3)
    hosts.told("data1", "a", "b", "c")
    hosts.exchange()
    assert len(hosts.lines("ops1")) == 6


def test_a_line_on_two_hosts_is_one_line(hosts: Hosts, tmp_path: Path) -> None:
    hosts.told("ops1", "a")
    hosts.exchange()
    env = environment(tmp_path, {"data1": "data", "ops1": "ops"})
    lines, broken, silent = storage.read(env, 0)
    assert [storage.identity(line) for line in lines] == [("begin", "a"), ("end", "a")]
    assert (broken, silent) == ([], [])


@pytest.fixture
def made(hosts: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> writer.Writer:
    """The writer of run "a"."""
    monkeypatch.setattr(writer, "_reached", lambda env: "ops1")
    monkeypatch.setattr(writer, "releases", lambda run: {})
    monkeypatch.setattr(host_wide, "intended", lambda run: {})
    env = environment(tmp_path, {"data1": "data", "data2": "data", "ops1": "ops"})
    run = SimpleNamespace(environment=env, outcome=SimpleNamespace(journal=SimpleNamespace(hosts={}), changes={}))
    lease = SimpleNamespace(holder={"token": "a", "who": "mina@desk", "process": 1, "purpose": "full.py"}, number=3)
    made = writer.Writer(cast(Any, run), None, cast(Any, lease))
    monkeypatch.setattr(made, "_commands", dict)
    return made


def whole_run(made: writer.Writer) -> None:
    made.begin({"plan": "", "commit": "", "dirty": False})
    made.end("complete", ask=False)


@pytest.mark.parametrize("down", ["", "data1"])
def test_a_run_keeps_its_lines_on_two_hosts(hosts: Hosts, made: writer.Writer, down: str) -> None:
    """One that cannot keep its copy stops no run. Each line is one request to each host."""
    hosts.down = down
    whole_run(made)
    assert hosts.asked == ["ops1 begin", "data1 begin", "ops1 end", *([] if down else ["data1 end"])]
    hosts.down = ""
    assert hosts.lines("ops1") == [("begin", "a"), ("end", "a")]
    assert hosts.lines("data1") == ([] if down else hosts.lines("ops1"))


@pytest.mark.parametrize(("knows", "lacks"), [("ops1", "data1"), ("data1", "ops1")])
def test_a_run_first_gives_a_host_the_lines_that_it_lacks(
    hosts: Hosts, made: writer.Writer, knows: str, lacks: str
) -> None:
    """A run of which a host has only the beginning is not taken for one that died there."""
    for name in (knows, lacks):
        hosts.told(name, "x")
    hosts.told(knows, "b")
    begin = {"event": "begin", "run": "c", "time": time.time(), "who": "mina"}
    hosts.act("data1", Path(), "begin", {"line": begin})
    for event in ("begin", "end"):
        hosts.act("ops1", Path(), event, {"line": {**begin, "event": event, "time": time.time()}})
    whole_run(made)
    wanted = sorted((event, run) for run in "abcx" for event in ("begin", "end"))
    assert hosts.lines("ops1") == hosts.lines("data1") == wanted


def test_the_second_copy_is_on_another_host(tmp_path: Path) -> None:
    groups = {"data1": "data", "data2": "data", "ops1": "ops"}
    assert storage.second(environment(tmp_path / "a", groups), "ops1") == "data1"
    assert storage.second(environment(tmp_path / "b", groups), "data1") == "data2"
    assert storage.second(environment(tmp_path / "c", groups, without="data1"), "ops1") == "data2"
    assert storage.second(environment(tmp_path / "d", groups, record_copy_group=""), "ops1") == ""
    assert storage.second(environment(tmp_path / "e", {"box1": "data ops"}), "box1") == ""
