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
    plans = [run.hosts.plan(name, role, asking=True) for role in run.hosts.roles(name)]
    units = [unit.name for plan in plans for unit in plan.units if unit.running and not unit.masked]
    found = run.hosts.ask(name, {"do": "standing", "units": list(dict.fromkeys(units))}) if units else {"down": {}}
    return [
        line
        for unit, log in found["down"].items()
        for line in (f"{name}: {unit} does not run; `systemctl status {unit}` there. Last lines of its log:", *log)
    ]
