"""Runs on a host: whether an update of this host was begun and not ended. Only deploys/update.py continues it."""

from typing import Any

from nexus.agent.change import Change
from nexus.agent.file import read_json

WAITING, DONE = "waits", "done"  # steps of a host that an update has not begun with, or has ended with


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{"update": {}}, with what runs and status should tell of an update that stopped here."""
    record = read_json(context["record"])
    if record.get("step", DONE) in (WAITING, DONE):
        return {"update": {}}
    drained = "; the host was drained for it" if record.get("drained") else ""
    text = f"an update of this host began at {record['at']} and has not ended{drained}: rerun deploys/update.py"
    return {"update": {"told": text, "unfinished": text}}


def apply(change: Change) -> None:
    """Nothing: a record is not a difference."""
