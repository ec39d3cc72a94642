"""The record: append-only lines that reveal tampering, runs that died, and queries."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from nexus.audit import history
from nexus.audit.host import record
from nexus.error import OperatorError
from nexus.lock import liveness
from nexus.run.since import moment


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(record, "DIRECTORY", str(tmp_path / "record"))
    monkeypatch.setattr(record, "TURN", str(tmp_path / "run" / "turn"))
    monkeypatch.setattr(record, "_append_only", lambda handle: None)  # otherwise the test could not damage it below
    return tmp_path / "record"


def begin(run: str, **more: Any) -> dict[str, Any]:
    about = {"who": "mina@desk", "purpose": "deploys/full.py", "number": 1, "commit": "c0ffee" * 4, "dirty": False}
    rest = {"services": {}, "intended": {"app2": [["nginx", "file /etc/x", "content differs"]]}}
    line = {"event": "begin", "run": run, "time": time.time(), **about, **rest, **more}
    return record.begin({"line": line})


def end(run: str, changes: dict[str, Any] | None = None, **more: Any) -> None:
    told = {"app2": [["nginx", "file /etc/x", "content differs", True]]} if changes is None else changes
    line = {"event": "end", "run": run, "time": time.time(), "outcome": "complete", "seconds": 2.5, "services": {}}
    record.end({"line": {**line, "changes": told, "commands": {}, **more}})


def read(since: float = 0) -> dict[str, Any]:
    return record.read({"since": since})


def files(place: Path) -> list[Path]:
    return sorted(place.iterdir())


def test_records_are_read_in_order() -> None:
    begin("a")
    end("a")
    begin("b")
    found = read()
    assert [(line["event"], line["run"]) for line in found["lines"]] == [("begin", "a"), ("end", "a"), ("begin", "b")]
    assert found["broken"] == []


def test_a_run_that_died_is_noted_by_the_next() -> None:
    begin("a")
    assert [line["run"] for line in begin("b")["dead"]] == ["a"]
    end("b")
    assert begin("c")["dead"] == []
    runs = history.join(read()["lines"])
    assert [(run["run"], run["died"]) for run in runs] == [("a", True), ("b", False), ("c", False)]
    assert "died before it ended" in history.tell(runs[0])
    assert "which it was about to change" in history.tell(runs[0])


@pytest.mark.parametrize(
    ("lock", "told"),
    [
        ({"number": 7, "holder": {"token": "t"}}, "under way"),
        ({"number": 7, "holder": None}, "died before it ended"),
        ({"number": 8, "holder": {"token": "t"}}, "died before it ended"),
        ({"number": 6, "holder": None}, "under way, or dead with no run since"),
        (None, "under way, or dead with no run since"),
    ],
)
def test_the_lock_knows_whether_a_run_without_an_end_lives(lock: dict[str, Any] | None, told: str) -> None:
    begin("a", number=7)
    (found,) = history.join(read()["lines"])
    assert not history.settled(found)
    assert history.now(found, lock) == told
    assert f", {told}\n" in history.tell({**found, "now": told})


def test_a_holder_whose_process_is_gone_has_died() -> None:
    begin("a", number=7)
    (found,) = history.join(read()["lines"])
    mine = {**liveness.identity(), "token": "t", "process": os.getpid()}
    assert history.now(found, {"number": 7, "holder": mine}) == "under way"
    assert history.now(found, {"number": 7, "holder": {**mine, "began": 0}}) == history.DIED


@pytest.mark.parametrize("damage", ["edit", "delete", "insert", "tear"])
def test_a_tampered_record_names_the_line(place: Path, damage: str) -> None:
    for run in "abc":
        begin(run)
        end(run)
    (file,) = files(place)
    lines = file.read_text().splitlines(keepends=True)
    match damage:
        case "edit":
            lines[2] = lines[2].replace("mina", "noor")
        case "delete":
            del lines[2]
        case "insert":
            lines.insert(2, lines[1])
        case "tear":
            lines[2] = lines[2][:40] + "\n"
    file.write_text("".join(lines))
    assert len(read()["broken"]) >= 1
    assert {place.split(":")[1] for place in read()["broken"]} <= {"3", "4"}


def test_half_a_line_is_reported_and_the_next_is_whole(place: Path) -> None:
    begin("a")
    (file,) = files(place)
    with file.open("a") as stream:
        stream.write('{"event": "en')
    end("a")
    found = read()
    assert [line["event"] for line in found["lines"]] == ["begin", "end"]
    assert found["broken"] == [f"{file.name}:2"]


def test_the_chain_continues_from_month_to_month(place: Path) -> None:
    begin("a")
    (file,) = files(place)
    file.rename(place / "2001-01.jsonl")
    end("a")
    assert len(files(place)) == 2
    assert read()["broken"] == []


def test_old_months_are_not_read_by_every_run(place: Path) -> None:
    for month in ("2001-01", "2001-02"):
        begin(month)
        end(month)
        files(place)[-1].rename(place / f"{month}.jsonl")
    begin("a")  # a run that dies
    (place / f"{time.strftime('%Y-%m', time.gmtime())}.jsonl").rename(place / "2001-03.jsonl")
    (place / "2001-01.jsonl").unlink()
    (place / "2001-01.jsonl").mkdir()  # cannot be read, not even by root
    assert [line["run"] for line in begin("b")["dead"]] == ["a"]
    (place / "2001-01.jsonl").rmdir()
    assert [found.rsplit(":", 1)[0] for found in read()["broken"]] == ["2001-02.jsonl"]


def test_a_month_without_a_line_breaks_no_chain(place: Path) -> None:
    begin("a")
    (file,) = files(place)
    file.rename(place / "2001-01.jsonl")
    file.touch()  # a full disk stored no line
    end("a")
    assert read()["broken"] == []


def test_history_finds_changes_by_host_and_by_item() -> None:
    begin("a")
    end("a", {"app1": [["nginx", "unit nginx", "reload", True]], "app2": [["redis", "file /etc/r", "new", False]]})
    (run,) = history.join(read()["lines"])
    assert history.changes(run, host="app2") == {"app2": ["redis: file /etc/r: new (not finished)"]}
    assert history.changes(run, item="NGINX") == {"app1": ["nginx: unit nginx: reload"]}
    assert history.changes(run, host="app1", item="redis") == {}


def test_a_host_that_is_gone_from_the_inventory_is_still_known() -> None:
    begin("a")
    end("a")
    runs = history.join(read()["lines"])
    history.check_host("app2", ["app1"], runs)
    said = '"app3" is neither in the inventory nor in the record; did you mean "app2"'
    with pytest.raises(OperatorError, match=said):
        history.check_host("app3", ["edge1"], runs)


def test_releases_before_and_after_are_reported() -> None:
    begin("a", services={"glitch": "1.0@aa", "kei-ai": "1.0@bb"})
    end("a", services={"glitch": "1.1@cc", "pv-keys": "1.1@dd"})
    told = history.tell(history.join(read()["lines"])[0])
    assert "releases: glitch 1.0@aa -> 1.1@cc, pv-keys new -> 1.1@dd" in told


NOW = time.mktime((2026, 11, 22, 15, 30, 0, 0, 0, -1))


@pytest.mark.parametrize(
    ("words", "then"),
    [
        ("today", (2026, 11, 22, 0, 0)),
        ("yesterday", (2026, 11, 21, 0, 0)),
        ("3h", (2026, 11, 22, 12, 30)),
        ("2d", (2026, 11, 20, 15, 30)),
        ("2026-11-02", (2026, 11, 2, 0, 0)),
        ("2026-11-02 08:15", (2026, 11, 2, 8, 15)),
    ],
)
def test_times_are_understood_as_people_say_them(words: str, then: tuple[int, int, int, int, int]) -> None:
    assert moment(words, NOW) == time.mktime((*then, 0, 0, 0, -1))


def test_invalid_times_are_refused() -> None:
    with pytest.raises(OperatorError, match="since=last tuesday is not a time"):
        moment("last tuesday", NOW)
