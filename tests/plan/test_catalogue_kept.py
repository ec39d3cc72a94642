"""A catalogue that was found sound is kept for the next run, and used only where nothing about it is in doubt."""

import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest

from roles.catalogue import DIRECTORY, CatalogueError, catalogue, kept
from roles.catalogue.check import read
from roles.catalogue.model import model_of
from roles.kit.environment import ROOT


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "nexus-cos" / "catalogue.json"


@pytest.fixture(scope="module")
def files():
    return read(DIRECTORY)


def test_what_is_kept_is_what_was_read(files, cache):
    kept.keep("inputs", files)
    found = kept.recall("inputs")
    assert found == files
    assert found is not files
    assert repr(found) == repr(files)  # 5 and 5.0 are equal, a tuple and a list are shown alike nowhere
    assert cache.stat().st_mode & 0o777 == 0o600
    assert [*cache.parent.iterdir()] == [cache]


def test_other_inputs_are_another_catalogue(files):
    kept.keep("inputs", files)
    assert kept.recall("others") is None


@pytest.mark.usefixtures("cache")
def test_nothing_kept_is_nothing():
    assert kept.recall("inputs") is None


DAMAGES = [
    lambda text: b"",
    lambda text: text[: len(text) // 2],
    lambda text: text.replace(b"auth-service", b"auth-sorvice", 1),
    lambda text: text.split(b"\n")[0],
    lambda text: b"\xff\xfe" + text,
    lambda text: b"[]\n[]",
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_passed_over(files, cache, damage):
    kept.keep("inputs", files)
    cache.write_bytes(damage(cache.read_bytes()))
    assert kept.recall("inputs") is None


BODIES = [
    "[]",
    "{}",
    "3",
    "null",
    '[["Route"]]',
    '[["Nothing", 1]]',
    '[["ServicesFile"], [], [], []]',
    "[[[]]]",
]


@pytest.mark.parametrize("body", BODIES)
def test_one_of_another_shape_is_passed_over(cache, body):
    cache.parent.mkdir(parents=True)
    cache.write_text(f"inputs {hashlib.sha256(body.encode()).hexdigest()}\n{body}")
    cache.chmod(0o600)
    assert kept.recall("inputs") is None


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_one_that_others_can_write_is_passed_over(files, cache, mode):
    kept.keep("inputs", files)
    cache.chmod(mode)
    assert kept.recall("inputs") is None


def test_one_of_somebody_else_is_passed_over(files, monkeypatch):
    kept.keep("inputs", files)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert kept.recall("inputs") is None


def test_neither_a_link_nor_a_directory_nor_a_pipe_is_followed(files, cache):
    kept.keep("inputs", files)
    cache.rename(cache.with_name("elsewhere"))
    cache.symlink_to(cache.with_name("elsewhere"))
    assert kept.recall("inputs") is None
    cache.unlink()
    cache.mkdir()
    assert kept.recall("inputs") is None
    cache.rmdir()
    os.mkfifo(cache, 0o600)
    assert kept.recall("inputs") is None


def test_one_that_cannot_be_kept_is_done_without(files, cache):
    cache.parent.write_text("a file in the way")
    kept.keep("inputs", files)
    assert kept.recall("inputs") is None


def test_every_change_of_a_file_makes_other_inputs(tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(DIRECTORY, copy)
    before = kept.digest(copy)
    assert before == kept.digest(DIRECTORY)
    about = (copy / "gateway.yaml").stat()
    text = (copy / "gateway.yaml").read_text()
    (copy / "gateway.yaml").write_text(text.replace("required", "partial1", 1))
    os.utime(copy / "gateway.yaml", ns=(about.st_atime_ns, about.st_mtime_ns))  # not told by its date
    changed = kept.digest(copy)
    assert changed != before
    (copy / "schema" / "invoice-gen.sql").write_text("CREATE TABLE invoices ();\n")
    assert kept.digest(copy) not in (before, changed)


def test_a_mistake_is_refused_whatever_was_kept(request, tmp_path, monkeypatch, files):
    copy = tmp_path / "copy"
    shutil.copytree(DIRECTORY, copy)
    monkeypatch.setattr(catalogue, "DIRECTORY", copy)
    request.addfinalizer(catalogue._load.cache_clear)
    catalogue._load.cache_clear()
    assert catalogue.load(copy).platform == files[0]
    (copy / "services.yaml").write_text(
        (copy / "services.yaml").read_text().replace("port: 3", "port: -3", 1)
    )
    for _ in range(2):  # nor is a catalogue with mistakes kept
        catalogue._load.cache_clear()
        with pytest.raises(CatalogueError, match="port"):
            catalogue.load(copy)


PROBE = """
import sys
from roles.catalogue import load
load()
print([name for name in ('pydantic', 'pglast') if name in sys.modules])
"""


def test_the_next_run_validates_nothing():
    said = [
        subprocess.run([sys.executable, "-c", PROBE], cwd=ROOT, capture_output=True, text=True) for _ in "ab"
    ]
    assert [json.loads(run.stdout.replace("'", '"')) for run in said] == [["pydantic", "pglast"], []]


def test_names_of_entries_are_one_kind_each():
    kinds = [
        value
        for module in kept.MODULES
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, kept.Entry) and value.__module__ == module.__name__
    ]
    assert len({kind.__name__ for kind in kinds}) == len(kinds)
    assert all(model_of(kind).__name__ == kind.__name__ for kind in kinds if kind is not kept.Entry)


def test_an_entry_made_by_hand_names_what_is_wrong_with_it():
    with pytest.raises(TypeError, match=r"Bucket: unknown \['names'\], missing \['name', 'storage_class'\]"):
        kept.operation.Bucket(names="backups")
