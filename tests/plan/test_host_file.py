"""Small files of hosts: read if they are complete, written completely or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nexus.agent.file import read_json, read_text, write_atomic


@pytest.mark.parametrize(("content", "found"), [(b'{"a": 1}', {"a": 1}), (b'{"a": ', {}), (b"", {}), (None, {})])
def test_an_incomplete_file_counts_as_empty(tmp_path: Path, content: bytes | None, found: dict[str, int]) -> None:
    path = tmp_path / "file.json"
    if content is not None:
        path.write_bytes(content)
    assert read_json(str(path)) == found


def test_an_unreadable_file_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a\xff\n")
    assert read_text(str(tmp_path / "file")) == "a\ufffd\n"
    assert [read_text(str(tmp_path / name)) for name in ("missing", "file/below", "")] == ["", "", ""]


def test_a_written_file_is_private_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("older")
    path.chmod(0o644)
    write_atomic(str(path), b"new")
    about = path.stat()
    assert (path.read_bytes(), about.st_mode & 0o777) == (b"new", 0o600)
    assert (about.st_uid, about.st_gid) == (os.geteuid(), os.getegid())
    assert os.listdir(tmp_path) == ["file"]
