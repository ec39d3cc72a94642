"""A copy of the real catalogue in which a test makes mistakes, one edit each."""

from __future__ import annotations

import shutil

import pytest

from nexus.catalogue import DIRECTORY, CatalogueError, load
from nexus.catalogue.errors import Problem


@pytest.fixture(name="broken")
def broken_(tmp_path):
    """A function that edits a copy of the real files and returns the problems found in it."""
    shutil.copytree(DIRECTORY, tmp_path / "catalogue")

    def edit(file: str, *replacements: tuple[str, str]) -> tuple[Problem, ...]:
        path = tmp_path / "catalogue" / file
        text = path.read_text()
        for old, new in replacements:
            assert old in text, f"{file} no longer holds {old!r}; edit the test"
            text = text.replace(old, new, 1)
        path.write_text(text)
        with pytest.raises(CatalogueError) as raised:
            load(tmp_path / "catalogue")
        for problem in raised.value.problems:
            assert str(problem) in str(raised.value)
        return raised.value.problems

    edit.directory = tmp_path / "catalogue"  # type: ignore[attr-defined]
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
