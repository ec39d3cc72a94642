"""Archives of the handoff: the same bytes from the same files, and every changed byte is found."""

from __future__ import annotations

import io
import json
import random
import re
import zipfile
from pathlib import Path

import pytest

from nexus.error import OperatorError
from runbooks.handoff import archive
from tests.plan.handoff_world import COMMIT


def test_an_archive_does_not_depend_on_order() -> None:
    files = {f"{number}.md": str(number).encode() for number in range(50)}
    shuffled = list(files.items())
    random.Random(1).shuffle(shuffled)
    assert archive.archive(files, 1_796_082_110) == archive.archive(dict(shuffled), 1_796_082_110)


def test_an_archive_has_the_time_of_the_commit() -> None:
    with zipfile.ZipFile(io.BytesIO(archive.archive({"a": b"#!/bin/sh\n", "b": b"x"}, COMMIT.epoch))) as opened:
        about = {entry.filename: (entry.date_time, entry.external_attr >> 16) for entry in opened.infolist()}
    assert about == {"a": ((2026, 11, 30, 23, 41, 50), 0o100755), "b": ((2026, 11, 30, 23, 41, 50), 0o100644)}


FEW = {"README.md": b"# A\n", "scripts/x": b"#!/bin/sh\n", "docs/b.md": b"text\n" * 20}


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """An archive of a few files, and its manifest."""
    data = archive.archive(FEW, COMMIT.epoch)
    path, about = tmp_path / "x.zip", tmp_path / "x-manifest.json"
    path.write_bytes(data)
    about.write_text(archive.manifest("x.zip", data, FEW, COMMIT, lambda path: path.partition("/")[0]))
    return path, about


def test_the_manifest_counts(pair: tuple[Path, Path]) -> None:
    about = json.loads(pair[1].read_text())
    assert {"path", "sha256", "size_bytes", "generated_at", "note"} <= about.keys()
    assert about["file_count"] == len(about["files"]) == sum(about["group_counts"].values()) == 3
    assert re.fullmatch(r"[0-9A-F]{64}", about["sha256"])
    assert about["generated_at"] == "2026-11-30T23:41:50Z"
    assert archive.verify(*pair) == 3


def test_every_changed_byte_is_found(pair: tuple[Path, Path]) -> None:
    path, about = pair
    data = path.read_bytes()
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(OperatorError, match=r"x\.zip is not as x-manifest\.json says"):
            archive.verify(path, about)
    path.write_bytes(data)
    assert archive.verify(path, about) == 3


def test_other_files_are_named(pair: tuple[Path, Path]) -> None:
    path, about = pair
    files = {"README.md": b"# B\n", "docs/b.md": FEW["docs/b.md"], "more": b"x"}
    path.write_bytes(archive.archive(files, COMMIT.epoch))
    with pytest.raises(OperatorError) as raised:
        archive.verify(path, about)
    for line in ("scripts/x is missing", "more is not in the manifest", "README.md is changed"):
        assert line in str(raised.value)
