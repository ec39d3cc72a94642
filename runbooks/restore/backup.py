"""Back up now: every host with something to save, or one store."""

from functools import partial

from nexus.error import OperatorError, nearest
from nexus.run.run import Run
from nexus.run.runbook import Act, act
from roles.backup.acts import save, savers
from roles.backup.copy import NAME as COPY
from roles.backup.environment import NAME as ENVIRONMENT
from roles.backup.plan import kinds_of
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
    acts, copies = list[Act](), list[Act]()
    for name in savers(run):
        kinds = [
            each
            for each in kinds_of(run.environment, run.environment.host(name), run.all_roles)
            if lead.get(each, name) == name and only in ("", each)
        ]
        if saved := [each for each in kinds if each != COPY]:
            acts.append(save(run, name, f"Save {', '.join(saved)} from {name}", saved, hours, type_))
        if COPY in kinds:
            copies.append(save(run, name, f"Copy all buckets to {name}", [COPY], hours))
    if only == COPY and not copies:
        raise OperatorError(
            f"store={COPY}: no host of this run keeps a copy of the buckets of {run.environment.name}. Drop --limit. "
            "Without --limit there is none: our own object storage is copied to a second host, see backup_copy_host"
        )
    missing = [
        store for store in stores(run.all_roles) if hosts_of(run, store) and store not in lead and only in ("", store)
    ]
    if missing:
        raise OperatorError(f"no member of {', '.join(missing)} accepts writes, so it cannot be saved: fix that first")
    return [*acts, *copies]


def _check_type(run: Run, type_: str) -> None:
    """Refuse a type that no store has."""
    typed = [store for store in stores(run.all_roles).values() if store.types]
    if type_ and not any(type_ in store.types for store in typed):
        known = "; ".join(f"a backup of {store.title} is one of {', '.join(store.types)}" for store in typed)
        raise OperatorError(f"type={type_}: {known or 'no store has backup types'}")
