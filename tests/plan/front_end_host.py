"""Front ends as an edge host has them, made by the host-side code from plans."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nexus.agent.change import Change
from nexus.environment.environment import Environment
from nexus.plan.comparison import Differences
from nexus.plan.desired import Desired
from roles.frontend.front_end import FrontEnd
from roles.frontend.host import front_end, state
from roles.frontend.plan import plan


def planned(env: Environment) -> Desired:
    """The plan of the first edge host."""
    return plan(env, env.group("edge")[0])


def deliver(env: Environment) -> list[dict[str, Any]]:
    """Write what the plan wants and the host lacks, as a run does before it shows anything; returns the steps."""
    wanted = planned(env)
    items = [item for item in wanted.items if isinstance(item, FrontEnd)]
    present = front_end.probe([item.path for item in items])
    requests = [item.request(present.get(item.path)) for item in items if item.difference(present.get(item.path))]
    steps = list(FrontEnd.steps(requests, Differences())) if requests else []
    for step in steps:
        front_end.step(step)
    for file in wanted.files:
        Path(file.path).parent.mkdir(parents=True, exist_ok=True)
        Path(file.path).write_bytes(file.data)
    return steps


def show(env: Environment) -> list[str]:
    """Show the planned releases; returns the items that differed."""
    (wanted,) = planned(env).states
    present = state.probe(list(wanted.items), wanted.context)
    changed = [name for name, about in wanted.items.items() if present.get(name) != about]
    if changed:
        state.apply(Change(wanted.items, changed, (), wanted.context))
    return changed


def tree(directory: str | Path) -> Mapping[str, tuple[int, int]]:
    """{path: (size, time)} of all files below a directory."""
    files = [path for path in Path(directory).rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path.relative_to(directory)): (os.stat(path).st_size, int(os.stat(path).st_mtime)) for path in files}
