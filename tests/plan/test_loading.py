"""Compiled host-side code is cached, and the cache is always verified."""

import importlib
import os
import sys

import pytest

from nexus.agent import importer

# The order of modules in a request does not matter.
LIBRARIES = (
    ("nexus_sent.early", "from nexus_sent.base import VALUE"),
    ("nexus_sent.late", "1 / 0"),
    ("nexus_sent.base", "VALUE = 7"),
)


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setattr(importer, "DIRECTORY", str(tmp_path / "bytecode"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path / "bytecode"


def value(source: str) -> object:
    found: dict[str, object] = {}
    exec(importer.compiled(source, "<test>"), found)
    return found["value"]


def test_cached_code_is_reused(directory, monkeypatch):
    assert value("value = 1") == 1
    assert len(list(directory.iterdir())) == 1
    assert directory.stat().st_mode & 0o777 == 0o700
    monkeypatch.delattr("builtins.compile")
    assert value("value = 1") == 1


@pytest.mark.parametrize("content", [b"", b"\0", b"not bytecode", b"i\1\0\0\0"])
def test_damaged_cached_code_is_compiled_again(directory, content):
    value("value = 1")
    (kept,) = directory.iterdir()
    kept.write_bytes(content)
    assert value("value = 1") == 1
    assert kept.read_bytes() != content


def test_changed_source_gets_another_cache_file(directory):
    assert [value("value = 1"), value("value = 2")] == [1, 2]
    assert len(list(directory.iterdir())) == 2


def test_the_cache_directory_is_bounded(directory, monkeypatch):
    monkeypatch.setattr(importer, "MOST", 3)
    assert [value(f"value = {number}") for number in range(9)] == list(range(9))
    assert len(os.listdir(directory)) <= 4


def test_only_root_writes_the_cache(directory, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert value("value = 1") == 1
    assert not directory.exists()


def test_a_module_that_was_sent_runs_when_it_is_imported(directory, monkeypatch):
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.setattr(importer, "SENT", {})
    ran = importer.load("asks", "import nexus_sent.early as early\nvalue = early.VALUE", LIBRARIES)
    assert ran["value"] == 7
    assert "nexus_sent.late" not in sys.modules
    with pytest.raises(ZeroDivisionError):
        importlib.import_module("nexus_sent.late")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("nexus_sent.absent")
