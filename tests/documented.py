"""The commands that README, docs and the other pages tell operators to type."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("*.md", "docs/*.md", "roles/*/README.md", "nexus/**/README.md", "tests/**/README.md")
RUN = r"(?:pyinfra (?:inventory|@local)\S* deploys/|make )"
COMMAND = re.compile(rf"`({RUN}[^`]+)`|^(?: {{4}})?({RUN}.+)$", re.MULTILINE)


def commands() -> dict[str, str]:
    """{command without its comment: the page that names it first}; those with placeholders in capitals as well."""
    found: dict[str, str] = {}
    for page in sorted({path for pattern in PAGES for path in ROOT.glob(pattern)}):
        if page.name == "CHANGELOG.md":
            continue
        for inline, line in COMMAND.findall(page.read_text()):
            command = " ".join((inline or line).partition("#")[0].split())
            found.setdefault(command, str(page.relative_to(ROOT)))
    return found


def deploys() -> dict[str, str]:
    """Of these the runs of deploys."""
    return {command: page for command, page in commands().items() if command.startswith("pyinfra ")}
