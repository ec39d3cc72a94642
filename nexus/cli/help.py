"""The text of `--data help=true`: a deploy's docstring, its arguments, and each setting that the docstring names.

The deploy declares its arguments. The docstring names a setting in backticks or as NAME=...; the meaning of a setting
is its comment in a defaults.py.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from nexus import project
from nexus.environment import settings
from nexus.run.argument_kinds import Argument
from nexus.run.arguments import EVERY_RUN, declared
from nexus.run.role import Roles

NAMED = re.compile(r"`([a-z_]+)`|\b([a-z_]+)=\S")
GENERAL = (
    "Every deploy also takes --dry (says what would happen), --limit and, for one run, any setting of a "
    "defaults.py in roles/, runbooks/ or nexus/."
)


def asked(words: Iterable[str]) -> bool:
    """Return True if these `--data` words ask for help."""
    return any(word.lower() in ("help=true", "help=yes", "help=1") for word in words)


def manual(deploy: Path, roles: Roles) -> str:
    """Return the help text of one deploy; OSError if its file cannot be read."""
    said = ast.get_docstring(ast.parse(deploy.read_text())) or ""
    known, notes = settings.defaults(), comments()
    settings_named = [(name, f"{notes[name]} (default: {known[name]!r})") for name in named(said) if name in known]
    parts = [
        said,
        "",
        *_table("Arguments, given by --data NAME=VALUE:", _lines(declared(deploy).arguments, roles)),
        *_table("Settings, which group data may give as well:", settings_named),
        *_table("Arguments of every run:", _lines(EVERY_RUN, roles)),
    ]
    return "\n".join([*parts, GENERAL])


def named(said: str) -> list[str]:
    """Return the words that a docstring marks as names of settings."""
    return list(dict.fromkeys(name for found in NAMED.findall(said) for name in found if name))


def comments() -> dict[str, str]:
    """Return {setting: its comments in `defaults.py`}: the lines above it, then the one at its first or last line."""
    found: dict[str, str] = {}
    for path in project.settings_files():
        lines = path.read_text().splitlines()
        for node in ast.parse("\n".join(lines)).body:
            if isinstance(node, ast.AnnAssign):
                said = [line.rpartition("  # ")[2] for line in _ends(lines, node) if "  # " in line]
                found[ast.unparse(node.target)] = " ".join([*_above(lines, node.lineno - 1), *said[:1]])
    return found


def _ends(lines: list[str], node: ast.stmt) -> tuple[str, str]:
    return lines[node.lineno - 1], lines[(node.end_lineno or node.lineno) - 1]


def _above(lines: list[str], number: int) -> list[str]:
    """Return the lines of the comment that ends right before this line."""
    first = number
    while first and lines[first - 1].startswith("# "):
        first -= 1
    return [line[2:] for line in lines[first:number]]


def _lines(arguments: Mapping[str, Argument], roles: Roles) -> list[tuple[str, str]]:
    """Return (argument with the form of its values, its meaning) for each argument."""
    return [
        (f"{name}={kind.shown(roles)}", kind.meaning + (f" (default: {kind.default})" if kind.default else ""))
        for name, kind in arguments.items()
    ]


def _table(title: str, lines: list[tuple[str, str]]) -> list[str]:
    """Return a table of names and meanings under a title; no lines if there are no names."""
    width = max((len(name) for name, _ in lines), default=0)
    return [title, *(f"  {name:{width}}  {meaning}" for name, meaning in lines), ""] if lines else []
