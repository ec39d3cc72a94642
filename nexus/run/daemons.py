"""Check at the end of a run: do the daemons on changed hosts still run? One request to each of these hosts."""

from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.side_by_side import side_by_side


def check(run: Run) -> None:
    """Raise OperatorError if a planned unit is down on a host that this run changed.

    The error holds the last log lines of each such unit.
    """
    names = [name for name in run.outcome.journal.hosts if run.hosts.reaches(name)]
    found = side_by_side(lambda name: _down(run, name), names)
    lines = [line for down in found.values() for line in down]
    if lines:
        raise OperatorError("units that this run deployed do not stay up:\n  " + "\n  ".join(lines))


def _down(run: Run, name: str) -> list[str]:
    units = [unit for role in run.hosts.roles(name) for unit in _deployed(run, name, role)]
    found = run.hosts.ask(name, {"do": "standing", "units": list(dict.fromkeys(units))}) if units else {"down": {}}
    return [
        line
        for unit, log in found["down"].items()
        for line in (f"{name}: {unit} does not run; `systemctl status {unit}` there. Last lines of its log:", *log)
    ]


def _deployed(run: Run, name: str, role: str) -> list[str]:
    """Units that should run on this host: planned ones, and of a role that this run leaves alone those it has made."""
    units = run.hosts.plan(name, role, asking=True).units
    planned = [unit.name for unit in units if unit.running and not unit.masked]
    if not planned or role in run.planned[name]:
        return planned
    made = run.hosts.answer(name)["manifest"].get(role, {}).get("units", {})
    return [unit for unit in planned if unit in made]
