"""A state for daemons that write log files: it reopens lost ones. It takes one line in the plan of a role."""

from pathlib import Path

from nexus.plan.desired import State

SOURCE = Path(__file__).parent / "host/opened.py"


def open_logs(unit: str, directory: str, *reopen: str) -> State:
    """The unit writes into files that exist in the directory; the command `reopen` makes it reopen them."""
    context = {"unit": unit, "directory": directory, "reopen": list(reopen)}
    return State(f"logs of {unit}", SOURCE, {f"logs of {unit}": {"open": True}}, context=context)
