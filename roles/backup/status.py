"""Rows about backups: the age of each store's newest good backup, and of the last restore that was proven."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.run.row import Answers, Row, duration, told
from roles.backup import copy, environment
from roles.backup.plan import copy_holder
from roles.backup.store import stores
from roles.table import ROLES

CHECKS = ("backup-done",)  # daily checks that these rows answer
ORDER = 1  # after all that is backed up
Answer = Mapping[str, Any]
DAY = 86400
PROOF = "restore_test"
UNKNOWN = "no record of any"


def question(env: Environment, host: Host) -> dict[str, Any]:
    """Every host is asked: one that left a store may have the newest backup's record."""
    return {"backup": {}}


def rows(env: Environment, answers: Answers, now: float) -> Iterator[Row]:
    """Age of the newest good backup of each store, and of the last restore that was proven."""
    figures = env.catalogue.operations
    newest = _newest(told(answers, "backup", (host.name for host in env.hosts)).values())
    within = figures.disaster_recovery.rpo_hours * 3600
    kinds = [store for store in stores(ROLES) if env.present(store)]
    for kind in [*kinds, environment.NAME, *([copy.NAME] * bool(copy_holder(env)))]:
        yield _backup(kind, newest.get(kind), within, "deploys/backup.py makes one", now)
    days = figures.backups.restore_test_every_days
    yield _backup("restore", newest.get(PROOF), days * DAY, "deploys/restore_test.py proves that they restore", now)


def _newest(said: Any) -> dict[str, Answer]:
    """The last record of each kind, with the end of the last good backup on any host."""
    found: dict[str, dict[str, Any]] = {}
    for answer in said:
        for kind, one in answer.items():
            known = found.setdefault(kind, dict(one))
            good = max(str(known.get("ok_at") or ""), str(one.get("ok_at") or ""))
            if str(one["finished_at"]) > str(known["finished_at"]):
                known |= one
            known["ok_at"] = good
    return dict(found)


def _backup(what: str, last: Answer | None, within: float, remedy: str, now: float) -> Row:
    target = f"within {duration(within)}"
    if last is None or not last["ok_at"]:
        why = f"failed: {last['error']}. " if last and last.get("error") else ""
        return Row("backup", what, UNKNOWN if last is None else "never succeeded", target, f"{why}{remedy}")
    # Data that is archived continuously is safe up to the last archive.
    safe = max(_seconds(last["ok_at"]), _seconds(last.get("wal_archived_at") or last["ok_at"]))
    value = f"{duration(max(0.0, now - safe))} ago"
    if not last.get("ok", True):
        return Row("backup", what, f"{value}; the last one failed", target, f"{last.get('error')}. {remedy}")
    return Row("backup", what, value, target, "" if now - safe <= within else remedy)


def _seconds(when: str) -> float:
    return dt.datetime.fromisoformat(when.replace("Z", "+00:00")).timestamp()
