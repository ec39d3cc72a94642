"""A daemon whose log file was removed is distinguished from one that writes to an existing file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from roles.base.host import opened


@pytest.fixture
def unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A unit with only this process, and its open log file."""
    (tmp_path / "daemon.service").mkdir()
    (tmp_path / "daemon.service" / "cgroup.procs").write_text(f"{os.getpid()}\n")
    monkeypatch.setattr(opened, "SLICE", str(tmp_path))
    return tmp_path / "log" / "daemon.log"


def test_a_removed_file_that_is_still_open_is_named(unit: Path) -> None:
    unit.parent.mkdir()
    context = {"unit": "daemon.service", "directory": str(unit.parent), "reopen": ["true"]}
    with unit.open("w"):
        assert opened.probe(["logs"], context) == {"logs": {"open": True}}
        unit.unlink()
        said = f"daemon.service writes into removed files: {unit}"
        assert opened.probe(["logs"], context) == {"logs": {"open": False, "how": said}}
    assert opened.probe(["logs"], context) == {"logs": {"open": True}}


def test_a_unit_that_does_not_run_has_lost_nothing(unit: Path) -> None:
    assert list(opened.lost_files("other.service", "/var/log")) == []
