"""The commands that README, docs and the other pages tell operators to type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("*.md", "docs/*.md", "roles/*/README.md", "nexus/**/README.md", "tests/**/README.md")
RUN = r"(?:pyinfra (?:inventory|@local)\S* deploys/|make )"
COMMAND = re.compile(rf"`({RUN}[^`]+)`|^(?: {{4}})?({RUN}.+)$", re.MULTILINE)


def commands() -> dict[str, str]:
    """{command without its comment: the page that names it first}; those with placeholders in capitals as well."""
    paths = sorted({path for pattern in PAGES for path in ROOT.glob(pattern)})
    return commands_in({str(path.relative_to(ROOT)): path.read_text() for path in paths if path.name != "CHANGELOG.md"})


def commands_in(pages: Mapping[str, str]) -> dict[str, str]:
    """The same of these pages, {name: text}."""
    found: dict[str, str] = {}
    for page, text in pages.items():
        for inline, line in COMMAND.findall(text):
            command = " ".join((inline or line).partition("#")[0].split())
            found.setdefault(command, page)
    return found


def deploys() -> dict[str, str]:
    """Of these the runs of deploys."""
    return {command: page for command, page in commands().items() if command.startswith("pyinfra ")}
