"""A store brought back as acts of a runbook: what a role is told, and how stores whose backups are files do it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import Act
from roles.backup.acts import program, save

LATEST = "latest"


@dataclass(frozen=True)
class Restore:
    """What an operator wants brought back, and what the hosts said before."""

    run: Run
    store: str
    to: str  # UTC, as 2026-11-22T19:00:00Z, or LATEST
    replace: bool  # in the place of what is there
    hours: float  # that a backup may take which is made first
    primary: str | None  # the host that takes the store's writes


def restore_file(wanted: Restore) -> list[Act]:
    """What the newest file before a moment holds is put into the store that runs."""
    store, host = wanted.store, wanted.primary
    if not host:
        raise OperatorError(
            f"nobody takes writes of {store} now, and a backup is put into a server that runs: see status.py"
        )
    if not wanted.replace:
        raise OperatorError(
            f"{store} is restored into the server that runs: what has the same name there is replaced. Say so with "
            "--data replace=true"
        )
    first = save(wanted.run, host, f"Save {store} as it is now", [store], wanted.hours)
    newest = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if wanted.to == LATEST else wanted.to
    what = f"Put {store} back as it was saved last before {newest}"
    return [first, program(wanted.run, host, what, ["load", store, newest])]
