"""Back up now: every host with something to save, or one store."""

from functools import partial

from nexus.error import OperatorError, nearest
from nexus.run.run import Run
from nexus.run.runbook import Act, act
from roles.backup.acts import save, savers
from roles.backup.copy import NAME as COPY
from roles.backup.environment import NAME as ENVIRONMENT
from roles.backup.plan import copy_holder, kinds_of
from roles.backup.store import stores
from runbooks.restore.hosts import hosts_of, primaries


def back_up(store: str = "", type_: str = "") -> None:
    """Save everything or one store; with this type, if the store's backups have types."""
    act("Back up", partial(plan, only=store, type_=type_))


def plan(run: Run, only: str = "", type_: str = "") -> list[Act]:
    """One act for each host that has something to save; the copy comes last, so that it has what the others saved."""
    known, hours = [*stores(run.all_roles), ENVIRONMENT, COPY], run.environment.setting.restore_backup_hours
    if only and only not in known:
        raise OperatorError(f"store={only}: unknown store{nearest(only, known)}; known: {', '.join(known)}")
    _check_type(run, type_)
    lead = primaries(run)
    acts = []
    for name in savers(run):
        kinds = [
            each
            for each in kinds_of(run.environment, run.environment.host(name), run.all_roles)
            if lead.get(each, name) == name and only in ("", each) and each != COPY
        ]
        if kinds:
            acts.append(save(run, name, f"Save {', '.join(kinds)} from {name}", kinds, hours, type_))
    if (
        (holder := copy_holder(run.environment, run.all_roles))
        and only in ("", COPY)
        and run.hosts.reaches(holder.name)
    ):
        acts.append(save(run, holder.name, f"Copy all buckets to {holder.name}", [COPY], hours))
    missing = [
        store for store in stores(run.all_roles) if hosts_of(run, store) and store not in lead and only in ("", store)
    ]
    if missing:
        raise OperatorError(f"no member of {', '.join(missing)} accepts writes, so it cannot be saved: fix that first")
    return acts


def _check_type(run: Run, type_: str) -> None:
    """Refuse a type that no store has."""
    typed = [store for store in stores(run.all_roles).values() if store.types]
    if type_ and not any(type_ in store.types for store in typed):
        known = "; ".join(f"a backup of {store.title} is one of {', '.join(store.types)}" for store in typed)
        raise OperatorError(f"type={type_}: {known or 'no store has backup types'}")
