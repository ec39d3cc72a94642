"""A project of toy roles with two hosts; each test gets its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.library import toy_hosts
from tests.library.toy_project import Toy


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[Toy]:
    root = tmp_path / "toy"
    shutil.copytree(Path(__file__).with_name("toy"), root)
    try:
        with toy_hosts.hosts(tmp_path, "one", "two") as made:
            yield Toy(root, made)
    except RuntimeError as error:
        pytest.skip(str(error))
