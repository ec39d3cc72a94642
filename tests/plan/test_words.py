"""Operators read plain English: no text contains one of these phrases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ("nexus", "roles", "runbooks", "deploys", "group_data", "inventory", "docs", "tests", "benchmarks")
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "config.py")
PHRASES = {
    r"anew": "again",
    r"beside(?!\")": "next to, in parallel, outside of",  # not the name of the file /run/nexus-cos/beside
    r"whoever": "anyone who",
    r"(lay|lays|laid|laying)( it| them| these)? down": "install, deploy, write",
    r"log-in": "login",
    r"stands? (above|below|here|there|twice|beside)": "is",
    r"(go|goes|going|went) on": "continue",
    r"(?<!there )is no (?!longer|more than|less than|such|different)\w+": "is not a",
    r"mend|mends|mended|mending": "fix",
    r"what it is told": "its argument",
}
WRONG = re.compile("|".join(rf"\b({phrase})\b" for phrase in PHRASES), re.IGNORECASE)


def files() -> list[Path]:
    inside = [path for folder in CODE for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".md", ".yaml")]
    return sorted({*inside, *(ROOT / name for name in PAGES)} - {Path(__file__).resolve()})


def test_plain_words() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if WRONG.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text", ["why stands above", "Mend it", "lays it down", "is no inventory", "go on without it", "a log-in"]
)
def test_wrong_words_are_found(text: str) -> None:
    assert WRONG.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "it is no longer there",
        '"/run/nexus-cos/beside"',
        "there is no account",
        "the standby is not a primary",
        "commend",
    ],
)
def test_other_words_are_left_alone(text: str) -> None:
    assert not WRONG.search(text)
