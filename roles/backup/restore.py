"""The restore of a store as acts of a runbook: the request to a role, and the acts for stores saved as files."""

import datetime as dt
from dataclasses import dataclass

from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import Act
from roles.backup.acts import program, save

LATEST = "latest"


@dataclass(frozen=True)
class Restore:
    """What an operator wants restored, and what the hosts reported before."""

    run: Run
    store: str
    to: str  # UTC, as 2026-11-22T19:00:00Z, or LATEST
    replace: bool  # in place of the current data
    hours: float  # how long the backup may take that is made first
    primary: str | None  # the host that takes the store's writes


def restore_file(wanted: Restore) -> list[Act]:
    """Load the newest file before a moment into the running store."""
    store, host = wanted.store, wanted.primary
    if not host:
        raise OperatorError(
            f"no host takes writes of {store} now, and a backup can only be loaded into a running server: see "
            "deploys/status.py"
        )
    if not wanted.replace:
        raise OperatorError(
            f"{store} is restored into the running server, where data of the same name is replaced. Confirm with "
            "--data replace=true"
        )
    first = save(wanted.run, host, f"Save {store} as it is now", [store], wanted.hours)
    newest = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if wanted.to == LATEST else wanted.to
    what = f"Restore {store} from its last backup before {newest}"
    return [first, program(wanted.run, host, what, ["load", store, newest])]
