"""Restore: one service's database or whole stores, the latest or a point in time, into a copy unless told otherwise."""

from __future__ import annotations

import datetime as dt
from typing import Any

from roles.backup.plan import STORES
from roles.kit.error import OperatorError, nearest
from roles.kit.run import Run
from roles.restore.backup import UNIT
from roles.restore.host import ask, primaries, program, savers
from roles.restore.replace import replace_cluster
from roles.restore.unit import work
from roles.runbook import Act, act

LATEST = "latest"


def restore() -> None:
    """`--data service=NAME` for one database, `--data store=NAME|all`, `--data to=TIME`, `--data replace=true`."""
    act("Restore", plan)


def plan(run: Run) -> list[Act]:
    """Acts for what was asked for; OperatorError where it is not clear, or not there."""
    setting = run.environment.setting
    service, store, to = str(setting.service), str(setting.store), moment(str(setting.to))
    if service and store:
        raise OperatorError(f"service={service} and store={store}: restore one service's database, or whole stores")
    known = [name for name in STORES if run.environment.group(name)]
    if store not in ("", "all", *known):
        raise OperatorError(f'store={store}: {run.environment.name} has no such store{nearest(store, known)}; or "all"')
    lead = primaries(run)
    if service:
        return of_service(run, service, to, lead)
    wanted = known if store == "all" else [store or "postgresql"]
    acts: list[Act] = []
    for name in wanted:
        acts += of_postgresql(run, to, lead) if name == "postgresql" else of_files(run, name, to, lead)
    return acts


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
        raise OperatorError(f"to={to} is not over yet: nothing is known of it")
    return found.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").replace(".000000", "")


def check_reach(listed: dict[str, Any], to: str) -> str:
    """The newest backup that ended before a moment; OperatorError where there is none."""
    backups = listed["postgresql"]
    if not backups:
        raise OperatorError("the bucket has no backup of PostgreSQL yet: deploys/backup.py makes one")
    if to == LATEST:
        return str(backups[-1]["label"])
    when = dt.datetime.fromisoformat(to.replace("Z", "+00:00")).timestamp()
    before = [backup["label"] for backup in backups if backup["stop"] < when]
    if not before:
        oldest = dt.datetime.fromtimestamp(backups[0]["stop"], dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        raise OperatorError(f"to={to}: the oldest backup ended at {oldest}; no earlier moment can be restored")
    return str(before[-1])


def of_service(run: Run, name: str, to: str, lead: dict[str, str]) -> list[Act]:
    """One database into a copy; with replace=true, saved as it is and then swapped."""
    services = run.environment.catalogue.services_of_store("postgresql")
    found = next((service for service in services if service.name == name), None)
    if not found:
        names = [service.name for service in services]
        raise OperatorError(f"service={name}: no service of that name keeps a database{nearest(name, names)}")
    primary = lead.get("postgresql")
    if not primary:
        raise OperatorError(
            "PostgreSQL has no primary now, and one database is restored into a cluster that runs: "
            "see deploys/status.py"
        )
    label = check_reach(ask(run, primary, "listed"), to)
    database, stamp = found.database, dt.datetime.now(dt.UTC).strftime("%Y%m%d%H%M")
    copy, aside = f"{database}_restored", f"{database}_before_{stamp}"
    what = f"Restore database {database} as it was at {to}, from backup {label} and the log, into {copy} on {primary}"
    acts = [program(run, primary, what, ["copy-database", database, database, to, copy])]
    if run.environment.setting.replace:
        save = f"Save database {database} as it is now into the bucket"
        swap = f"Give {copy} the name {database}; what {database} was stays as {aside}"
        acts.append(program(run, primary, save, ["save-database", database]))
        acts.append(program(run, primary, swap, ["swap-database", database, copy, aside, found.name]))
    return acts


def of_postgresql(run: Run, to: str, lead: dict[str, str]) -> list[Act]:
    """The whole cluster into a copy; with replace=true, that copy in its place."""
    members = [host.name for host in run.environment.group("postgresql") if host.name in savers(run)]
    if not members:
        raise OperatorError("no host of PostgreSQL is reached by this run: drop --limit")
    chosen = lead.get("postgresql") or members[0]
    listed = ask(run, chosen, "listed")
    label = check_reach(listed, to)
    what = f"Restore all databases as they were at {to}, from backup {label} and the log, into a copy on {chosen}"
    acts = [program(run, chosen, what, ["copy-cluster", to])]
    if run.environment.setting.replace:
        acts += replace_cluster(run, chosen, listed, lead)
    return acts


def of_files(run: Run, store: str, to: str, lead: dict[str, str]) -> list[Act]:
    """A store whose backups are files: what they hold is put into the one that runs."""
    host = lead.get(store)
    if not host:
        raise OperatorError(
            f"nobody takes writes of {store} now, and a backup is put into a server that runs: "
            "see status.py"
        )
    if not run.environment.setting.replace:
        raise OperatorError(
            f"{store} is restored into the server that runs: what has the same name there is replaced. Say so with "
            "--data replace=true"
        )
    save = f"Save {store} as it is now"
    hours = run.environment.setting.restore_backup_hours
    first = work(run, host, save, UNIT, f"backup --only {store}", [store], hours)
    newest = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if to == LATEST else to
    what = f"Put {store} back as it was saved last before {newest}"
    return [first, program(run, host, what, ["load", store, newest])]
