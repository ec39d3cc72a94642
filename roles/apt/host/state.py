"""Runs on a host: whether an update of this host was begun and not ended. Only deploys/update.py continues it."""

from typing import Any

from nexus.agent.change import Change
from nexus.agent.file import read_json

DONE = "done"


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{"update": {}}, with what a run should tell of an update that stopped here."""
    record = read_json(context["record"])
    if not record or record.get("step", DONE) == DONE:
        return {"update": {}}
    drained = "; the host was drained for it" if record.get("drained") else ""
    told = f"an update of this host began at {record['at']} and has not ended{drained}: rerun deploys/update.py"
    return {"update": {"told": told}}


def apply(change: Change) -> None:
    """Nothing: a record is not a difference."""
