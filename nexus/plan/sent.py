"""Host-side code as it is sent: with the project's modules that it imports, directly and indirectly.

Every run reads the imports of about 80 files, so a regular expression finds them: `ast` would take far longer.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from nexus import project
from nexus.agent import ASKING, CHANGING

# A newline is found three times as fast as "^"; no file begins with an import, a docstring comes first.
IMPORT = re.compile(r"\n( *)(?:from ([\w.]+) )?import (\([^)]*\)|[^#\n]+)")
NAME = re.compile(r"([\w.]+)(?: as \w+)?")
# Modules that every request has: a step (True), a question (False).
PRESENT = {
    apply: frozenset(f"nexus.agent.{name}" for name in (CHANGING if apply else ASKING)) for apply in (True, False)
}


def code(source: Path, apply: bool = False, named: Iterable[str] = ()) -> dict[str, Any]:
    """A host-side file for a question or, with `apply`, for a step, with its imports.

    `named` are modules that it imports by names in its context.
    """
    modules = dict.fromkeys(needed(source, apply, PRESENT[apply]))
    for name in named:
        modules |= dict.fromkeys((name, *needed(project.source(name), apply, PRESENT[apply])))
    return {"source": text(source), "libraries": [[name, text(project.source(name))] for name in modules]}


def program(names: Iterable[str]) -> dict[str, str]:
    """{path: source} of a program that is installed on hosts, from the modules that are its entry points."""
    modules = {module for name in names for module in (name, *needed(project.source(name)))}
    return {f"{name.replace('.', '/')}.py": project.source(name).read_text() for name in sorted(modules)}


@cache
def text(source: Path) -> str:
    """The text of a file."""
    return source.read_text()


@cache
def needed(source: Path, inner: bool = True, present: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Modules that a file imports, directly and indirectly; `inner` includes imports inside functions.

    Modules in `present` are left out, with what only they import.
    """
    found: dict[str, None] = {}
    waiting = [source]
    while waiting:
        for name, indent in imports(waiting.pop()):
            if (inner or not indent) and name not in found and name not in present:
                found[name] = None
                waiting.append(project.source(name))
    return tuple(found)


@cache
def imports(source: Path) -> list[tuple[str, str]]:
    """The project's modules that a file imports directly, each with the indentation of its import."""
    found = []
    for indent, package, listed in IMPORT.findall(text(source)):
        if package and project.source(package).is_file():
            found.append((package, indent))
        else:
            names = [f"{package}.{name}" if package else name for name in NAME.findall(listed)]
            found += [(name, indent) for name in names if project.source(name).is_file()]
    return found
