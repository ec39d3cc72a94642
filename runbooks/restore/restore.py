"""Restore one service's database or whole stores, the latest state or a point in time; by default into a copy."""

import datetime as dt
from functools import partial

from nexus.error import OperatorError, nearest
from nexus.run.run import Run
from nexus.run.runbook import Act, act
from roles.backup.restore import LATEST, Restore
from roles.backup.store import Store, stores
from runbooks.restore.hosts import hosts_of, primaries


def restore(service: str = "", store: str = "", to: str = "", replace: bool = False) -> None:
    """Restore one service's database, one store or all, at a point in time; in place with `replace`."""
    act("Restore", partial(plan, service=service, store=store, to=to, replace=replace))


def plan(run: Run, service: str = "", store: str = "", to: str = "", replace: bool = False) -> list[Act]:
    """The acts; OperatorError if the request is ambiguous or its target unknown."""
    to = moment(to)
    if service and store:
        raise OperatorError(f"service={service} and store={store}: restore one service's database, or whole stores")
    brought = stores(run.all_roles)
    known = [name for name in brought if hosts_of(run, name)]
    if store not in ("", "all", *known):
        raise OperatorError(f'store={store}: {run.environment.name} has no such store{nearest(store, known)}; or "all"')
    lead, hours = primaries(run), run.environment.setting.restore_backup_hours

    def wanted(name: str) -> Restore:
        return Restore(run, name, to, replace, hours, lead.get(name))

    if service:
        name, found = _store_of(run, brought, service)
        assert found.restore_service
        return found.restore_service(wanted(name), service)
    names = known if store == "all" else [store or _default(brought, known)]
    return [each for name in names for each in brought[name].restore(wanted(name))]


def _default(brought: dict[str, Store], known: list[str]) -> str:
    """The store to restore if none is named."""
    for name, store in brought.items():
        if store.by_default:
            return name
    raise OperatorError(f"name what to restore: --data store=NAME, one of {', '.join(known)}; or service=NAME")


def _store_of(run: Run, brought: dict[str, Store], service: str) -> tuple[str, Store]:
    """The store that can restore this service's data alone."""
    names: list[str] = []
    for name, store in brought.items():
        if store.restore_service:
            there = [each.name for each in run.environment.catalogue.services_of_store(name)]
            if service in there:
                return name, store
            names += there
    raise OperatorError(f"service={service}: no service of that name has a database{nearest(service, names)}")


def moment(to: str) -> str:
    """The point in time in UTC, as 2026-11-22T19:00:00Z; "latest" when none is given."""
    if to in ("", LATEST):
        return LATEST
    try:
        found = dt.datetime.fromisoformat(to.replace("Z", "+00:00"))
    except ValueError:
        raise OperatorError(f'to={to}: write a point in time as 2026-11-22T19:00:00Z, or "latest"') from None
    found = found if found.tzinfo else found.replace(tzinfo=dt.UTC)
    if found > dt.datetime.now(dt.UTC):
        raise OperatorError(f"to={to} is in the future: name a time in the past")
    return found.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").replace(".000000", "")
