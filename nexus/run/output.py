"""The output of a run about differences: each change once, differing lines of files, titles of steps."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pyinfra.context import host, state

from nexus import console
from nexus.plan.diff import Differences
from nexus.plan.kinds.file import File
from nexus.run.host_state import executing
from nexus.run.run import Run


def title(role: str, step: Mapping[str, Any]) -> str:
    """Return a description of a step for the operator."""
    match step:
        case {"kind": "packages"}:
            return f"installing {len(step['items'])} packages"
        case {"kind": "units", "items": [_, *_] as units}:
            return f"{role}: {', '.join(unit['name'] for unit in units)}"
        case {"kind": "states"}:
            count = len(step["changed"]) + len(step["removed"])
            return f"{role}: {count} item{'s' * (count != 1)}" + (f" of {step['name']}" if step["name"] != role else "")
        case _:
            return f"{role}: {step.get('kind', step['do'])}"


def show(run: Run, name: str, role: str, found: Differences) -> None:
    """Print each change once per phase; never print the content of a secret."""
    verb, out = ("change", console.detail) if executing() else ("would change", console.say)
    run.outcome.proposed += 0 if executing() else len(found.changes)
    for change in found.changes:
        out(f"{host.print_prefix}{role}: {verb} {change}")
    for note in (*found.notes, *map(str, found.told)):
        run.outcome.note(f"{name}: {role}", note)
    if state.config.DIFF and found.files:
        _show_diff(run, name, found.files)


def file_lines(run: Run, name: str, files: Iterable[File]) -> dict[str, list[str]]:
    """Return {path: lines of a unified diff from the file on the host to the planned file}, without secret files."""
    public = [item for item in files if not item.secret]
    asked = {"do": "contents", "paths": [item.path for item in public]}
    before = run.hosts.ask(name, asked)["contents"] if public else {}
    found = {}
    for item in public:
        old, new = before.get(item.path, "").splitlines(), item.data.decode(errors="replace").splitlines()
        found[item.path] = list(difflib.unified_diff(old, new, item.path, item.path, lineterm=""))
    return found


def _show_diff(run: Run, name: str, files: Iterable[File]) -> None:
    lines = file_lines(run, name, files)
    for item in files:
        for line in lines.get(item.path, [f"{item.path}: secret, not shown"]):
            console.say(f"{host.print_prefix}{line}")
