"""Work of hours on a host: started as a unit, so that it outlives the connection, and watched to its end."""

from __future__ import annotations

from pathlib import Path

from pyinfra import logger

from roles.kit.error import OperatorError
from roles.kit.run import Run
from roles.restore.host import ask
from roles.runbook import Act, carry_out, watch

START = Path(__file__).with_name("start.py")


def work(run: Run, name: str, what: str, unit: str, words: str, kinds: list[str], hours: float) -> Act:
    """An act that starts the unit with other words of its program, waits, and tells how each kind ended."""

    def do() -> None:
        before = ask(run, name, "records")
        carry_out(run, name, what[0].lower() + what[1:], START, {"unit": unit, "words": words})
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
                logger.info(f"    {name}: {kind}: {record['type']} {record['label']}, {record['bytes']} bytes")
            else:
                failed.append(f"{name}: {kind}: {record['error']}")
    if failed or result != "success":
        raise OperatorError("\n".join(failed) or f"{name}: {unit} ended with {result}: journalctl -u {unit}")
