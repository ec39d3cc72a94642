"""What a run says of its differences: each change once, lines of files where they are asked for, steps by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pyinfra.context import host, state

from nexus import console
from nexus.plan.diff import Differences
from nexus.run.host_state import executing
from nexus.run.run import Run


def title(role: str, step: Mapping[str, Any]) -> str:
    """What a step does, for whoever waits for it."""
    match step:
        case {"kind": "packages"}:
            return f"installing {len(step['items'])} packages"
        case {"kind": "units", "items": [_, *_] as units}:
            return f"{role}: {', '.join(unit['name'] for unit in units)}"
        case {"kind": "states"}:
            return f"{role}: {len(step['changed']) + len(step['removed'])} items of {step['name']}"
        case _:
            return f"{role}: {step.get('kind', step['do'])}"


def show(run: Run, name: str, role: str, found: Differences) -> None:
    """Print what differs, once per change and phase; never the content of a secret."""
    verb, out = ("change", console.detail) if executing() else ("would change", console.say)
    run.outcome.proposed += 0 if executing() else len(found.changes)
    for change in found.changes:
        out(f"{host.print_prefix}{role}: {verb} {change}")
    for note in (*found.notes, *map(str, found.told)):
        run.outcome.note(f"{name}: {role}", note)
    if state.config.DIFF and found.files:
        _show_diff(run, name, found)


def _show_diff(run: Run, name: str, found: Differences) -> None:
    public = [item for item in found.files if not item.secret]
    asked = {"do": "contents", "paths": [item.path for item in public]}
    before = run.hosts.ask(name, asked)["contents"] if public else {}
    for item in found.files:
        if item.secret:
            console.say(f"{host.print_prefix}{item.path}: secret, not shown")
            continue
        old = before.get(item.path, "").splitlines()
        new = item.data.decode(errors="replace").splitlines()
        for line in difflib.unified_diff(old, new, item.path, item.path, lineterm=""):
            console.say(f"{host.print_prefix}{line}")
