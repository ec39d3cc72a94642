"""Files on the machine that starts runs: written completely or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from nexus.workstation import write_whole


def test_a_file_is_replaced_with_its_mode_and_no_leftovers(tmp_path: Path) -> None:
    path = tmp_path / "new/file"
    write_whole(path, "one")
    write_whole(path, b"two", 0o600)
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_keeps_the_old_content_and_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_whole(path, "one")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as refused:
        write_whole(path, "two")
    assert refused.value.filename == str(path)
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]


def test_an_obstacle_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(FileExistsError) as refused:
        write_whole(tmp_path / "folder/file", "one")
    assert refused.value.filename == str(tmp_path / "folder")
