"""A copy of the real catalogue in which a test makes mistakes, one edit each."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nexus.catalogue import DIRECTORY, CatalogueError, load
from nexus.catalogue.errors import Problem


def edited(directory: Path, file: str, *replacements: tuple[str, str]) -> Path:
    """A copy of the catalogue below this directory, or the one that is there, with the first of each text replaced."""
    copy = directory / "catalogue"
    if not copy.exists():
        shutil.copytree(DIRECTORY, copy)
    text = (copy / file).read_text()
    for old, new in replacements:
        assert old in text, f"{file} no longer holds {old!r}; edit the test"
        text = text.replace(old, new, 1)
    (copy / file).write_text(text)
    return copy


@pytest.fixture(name="broken")
def broken_(tmp_path):
    """A function that edits a copy of the real files and returns the problems found in it."""

    def edit(file: str, *replacements: tuple[str, str]) -> tuple[Problem, ...]:
        copy = edited(tmp_path, file, *replacements)
        with pytest.raises(CatalogueError) as raised:
            load(copy)
        for problem in raised.value.problems:
            assert str(problem) in str(raised.value)
        return raised.value.problems

    edit.directory = edited(tmp_path, "services.yaml")  # type: ignore[attr-defined]
    return edit


def line_of(file: str, text: str) -> int:
    """The first line of the real file that contains the text."""
    lines = (DIRECTORY / file).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def in_service(name: str, field: str) -> tuple[str, str]:
    """The text from a service's name to the given field's line, as (text, line)."""
    text = (DIRECTORY / "services.yaml").read_text()
    start = text.index(f"- name: {name}\n")
    at = text.index(f"    {field}:", start)
    return text[start:at], text[at : text.index("\n", at)]
