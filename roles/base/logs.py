"""A state for daemons that write log files: lost ones are opened again. One line in the plan of their role."""

from __future__ import annotations

from pathlib import Path

from nexus.plan.desired import State

SOURCE = Path(__file__).parent / "host/opened.py"


def open_logs(unit: str, directory: str, *reopen: str) -> State:
    """The unit writes into the files that are in the directory; `reopen` is the command after which it does again."""
    context = {"unit": unit, "directory": directory, "reopen": list(reopen)}
    return State(f"logs of {unit}", SOURCE, {f"logs of {unit}": {"open": True}}, context=context)
