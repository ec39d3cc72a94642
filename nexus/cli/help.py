"""What a deploy takes, told by `--data help=true`: its docstring, its arguments, then each setting that this names.

Arguments are those that it declares. A setting is named in backticks or as NAME=...; what it means is its comment in
the role's defaults.
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
DEFINED = re.compile(r"([a-z]\w*): .*?(?:  # (.*))?")
GENERAL = (
    "Every deploy also takes --dry (says what would happen), --limit and, for one run, any setting of "
    "roles/*/defaults.py."
)


def asked(words: Iterable[str]) -> bool:
    """Whether these `--data` words ask for help."""
    return any(word.lower() in ("help=true", "help=yes", "help=1") for word in words)


def manual(deploy: Path, roles: Roles) -> str:
    """The text for one deploy; OSError where it is not there."""
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
    """Words that a docstring names."""
    return list(dict.fromkeys(name for found in NAMED.findall(said) for name in found if name))


def comments() -> dict[str, str]:
    """{setting: what its comments in `roles/*/defaults.py` say}, those above it first."""
    found: dict[str, str] = {}
    for path in project.settings_files():
        above: list[str] = []
        for line in path.read_text().splitlines():
            if line.startswith("# "):
                above.append(line[2:])
                continue
            if defined := DEFINED.fullmatch(line):
                found[defined[1]] = " ".join([*above, defined[2] or ""]).strip()
            above = []
    return found


def _lines(arguments: Mapping[str, Argument], roles: Roles) -> list[tuple[str, str]]:
    """Each argument with the form of its values, and what it means."""
    return [
        (f"{name}={kind.shown(roles)}", kind.meaning + (f" (default: {kind.default})" if kind.default else ""))
        for name, kind in arguments.items()
    ]


def _table(title: str, lines: list[tuple[str, str]]) -> list[str]:
    """Names and meanings in two columns under a title; nothing where there is none."""
    width = max((len(name) for name, _ in lines), default=0)
    return [title, *(f"  {name:{width}}  {meaning}" for name, meaning in lines), ""] if lines else []
