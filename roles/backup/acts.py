"""How runbooks ask and start the backup program of a host."""

from pathlib import Path
from typing import Any

from nexus import console
from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import Act, carry_out, watch
from roles.storage.plan import present

PROGRAM = Path(__file__).parent / "host/program.py"
START = Path(__file__).parent / "host/start_unit.py"
UNIT = "nexus-cos-backup-now.service"


def savers(run: Run) -> list[str]:
    """Hosts of this run that save something; OperatorError if there is none."""
    env = run.environment
    if not present(env):
        raise OperatorError(
            f"{env.name} has no object storage, so there are no backups: add a host to the group storage, or set "
            "storage_endpoint to use a bucket elsewhere"
        )
    found = [name for name in run.hosts.members("backup") if run.hosts.reaches(name)]
    if not found:
        raise OperatorError(f"this run reaches no host of {env.name} that saves backups: drop --limit")
    return found


def ask(run: Run, name: str, what: str, **values: Any) -> dict[str, Any]:
    """One answer of a host."""
    found: dict[str, Any] = run.hosts.ask_source(name, PROGRAM, [what], values)[what]
    return found


def program(run: Run, name: str, what: str, words: list[str]) -> Act:
    """An act of the restore program on a host; `what` in the imperative."""
    context = {"program": "restore", "words": words}
    return Act(what, lambda: carry_out(run, name, what[0].lower() + what[1:], PROGRAM, "carry_out", context), name)


def save(run: Run, name: str, what: str, kinds: list[str], hours: float, type_: str = "") -> Act:
    """An act that makes backups on a host now."""
    words = f"backup --only {','.join(kinds)}" + (f" --type {type_}" if type_ else "")
    return work(run, name, what, UNIT, words, kinds, hours)


def work(run: Run, name: str, what: str, unit: str, words: str, kinds: list[str], hours: float) -> Act:
    """An act that starts a unit with arguments of the program, waits for its end, and reports how each kind ended.

    Work that takes hours is a unit, so that it outlives the connection.
    """

    def do() -> None:
        before = ask(run, name, "records")
        carry_out(run, name, what[0].lower() + what[1:], START, "start", {"unit": unit, "words": words})
        watch(
            run,
            name,
            what,
            lambda: ask(run, name, "unit", unit=unit),
            lambda told: told["ActiveState"] not in ("active", "activating", "deactivating", "reloading"),
            hours * 3600,
        )
        after = ask(run, name, "records")
        _tell(name, unit, before, after, kinds, ask(run, name, "unit", unit=unit)["Result"])

    return Act(what, do, name)


def _tell(
    name: str,
    unit: str,
    before: dict[str, dict[str, object]],
    after: dict[str, dict[str, object]],
    kinds: list[str],
    result: str,
) -> None:
    failed = []
    for kind, record in after.items():
        if kind in kinds and record["finished_at"] != before.get(kind, {}).get("finished_at"):
            if record["ok"]:
                console.say(f"    {name}: {kind}: {record['type']} {record['label']}, {record['bytes']} bytes")
            else:
                failed.append(f"{name}: {kind}: {record['error']}")
    if failed or result != "success":
        raise OperatorError("\n".join(failed) or f"{name}: {unit} ended with {result}: see journalctl -u {unit}")
