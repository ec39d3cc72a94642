"""Back up now: every host with something to save, or one store of them."""

from __future__ import annotations

from roles.backup.plan import STORES, kinds_of
from roles.kit.error import OperatorError, nearest
from roles.kit.run import Run
from roles.restore.host import primaries, savers
from roles.restore.unit import work
from roles.runbook import Act, act

TYPES = ("full", "diff", "incr")
UNIT = "nexus-cos-backup-now.service"
ALL = (*STORES, "environment")


def back_up() -> None:
    """`--data store=NAME` for one kind, `--data type=full|diff|incr` for PostgreSQL's."""
    act("Back up", plan)


def plan(run: Run) -> list[Act]:
    """One act for each host that has something to do."""
    setting = run.environment.setting
    only, kind = str(setting.store), str(setting.type)
    if only and only not in ALL:
        raise OperatorError(f"store={only}: nothing is saved of that name{nearest(only, ALL)}: {', '.join(ALL)}")
    if kind and kind not in TYPES:
        raise OperatorError(f"type={kind}: a backup of PostgreSQL is one of {', '.join(TYPES)}")
    lead = primaries(run)
    acts = []
    for name in savers(run):
        kinds = [
            each
            for each in kinds_of(run.environment, run.environment.host(name))
            if lead.get(each, name) == name and only in ("", each)
        ]
        if kinds:
            words = f"backup --only {','.join(kinds)}" + (f" --type {kind}" if kind else "")
            what = f"Save {', '.join(kinds)} from {name}"
            acts.append(work(run, name, what, UNIT, words, kinds, run.environment.setting.restore_backup_hours))
    missing = [store for store in STORES if run.environment.group(store) and store not in lead and only in ("", store)]
    if missing:
        raise OperatorError(f"nobody takes writes of {', '.join(missing)}, so it cannot be saved: mend that first")
    return acts
