"""What a deploy takes, told by `--data help=true`: its docstring, then each setting that this names.

A setting is named in backticks or as NAME=...; what it means is its comment in the role's defaults.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from roles.kit import settings

NAMED = re.compile(r"`([a-z_]+)`|\b([a-z_]+)=\S")
DEFINED = re.compile(r"([a-z]\w*): .*?(?:  # (.*))?")
GENERAL = (
    "Every deploy also takes --dry (says what would happen), --limit, `without` and, for one run, any setting of "
    "roles/*/defaults.py."
)


def asked(words: Iterable[str]) -> bool:
    """Whether these `--data` words ask for help."""
    return any(word.lower() in ("help=true", "help=yes", "help=1") for word in words)


def manual(deploy: Path) -> str:
    """The text for one deploy; OSError where it is not there."""
    said = ast.get_docstring(ast.parse(deploy.read_text())) or ""
    known, notes = settings.defaults(), comments()
    named = dict.fromkeys(name for found in NAMED.findall(said) for name in found if name in known)
    width = max(map(len, named), default=0)
    taken = [f"  {name:{width}}  {notes[name]} (default: {known[name]!r})" for name in named]
    return "\n".join([said, "", *(["Settings:", *taken, ""] if taken else []), GENERAL])


def comments() -> dict[str, str]:
    """{setting: what its comments in `roles/*/defaults.py` say}, those above it first."""
    found: dict[str, str] = {}
    for path in settings.files():
        above: list[str] = []
        for line in path.read_text().splitlines():
            if line.startswith("# "):
                above.append(line[2:])
                continue
            if defined := DEFINED.fullmatch(line):
                found[defined[1]] = " ".join([*above, defined[2] or ""]).strip()
            above = []
    return found
