"""The restore of PostgreSQL: one service's database or the whole cluster, into a copy or in place of the original."""

import datetime as dt
from pathlib import Path
from typing import Any

from nexus.error import OperatorError
from nexus.run.runbook import Act, carry_out
from roles.backup.acts import ask, program, save, savers
from roles.backup.restore import LATEST, Restore
from roles.etcd.plan import TLS, endpoints
from roles.postgresql.patroni import SCOPE, data

FORGET = Path(__file__).parent / "host/reset_patroni.py"


def restore(wanted: Restore) -> list[Act]:
    """Restore the whole cluster into a copy; with replace, put the copy in its place."""
    run, to = wanted.run, wanted.to
    members = [host.name for host in run.environment.group("postgresql") if host.name in savers(run)]
    if not members:
        raise OperatorError("this run reaches no host of PostgreSQL: drop --limit")
    chosen = wanted.primary or members[0]
    listed = ask(run, chosen, "listed")
    label = check_reach(listed, to)
    what = f"Restore all databases as they were at {to}, from backup {label} and the log, into a copy on {chosen}"
    acts = [program(run, chosen, what, ["copy-cluster", to])]
    return [*acts, *replace_cluster(wanted, chosen, listed)] if wanted.replace else acts


def restore_service(wanted: Restore, name: str) -> list[Act]:
    """Restore one service's database into a copy; with replace, save the current one, then swap them."""
    run, primary, to = wanted.run, wanted.primary, wanted.to
    if not primary:
        raise OperatorError(
            "PostgreSQL has no primary, and one database can only be restored into a running cluster: "
            "see deploys/status.py"
        )
    label = check_reach(ask(run, primary, "listed"), to)
    database = run.environment.catalogue.service(name).database
    copy, aside = f"{database}_restored", f"{database}_before_{dt.datetime.now(dt.UTC):%Y%m%d%H%M}"
    what = f"Restore database {database} as it was at {to}, from backup {label} and the log, into {copy} on {primary}"
    acts = [program(run, primary, what, ["copy-database", database, database, to, copy])]
    if wanted.replace:
        keep = f"Save database {database} as it is now into the bucket"
        swap = f"Rename {copy} to {database}; the former {database} stays as {aside}"
        acts.append(program(run, primary, keep, ["save-database", database]))
        acts.append(program(run, primary, swap, ["swap-database", database, copy, aside, name]))
    return acts


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


def replace_cluster(wanted: Restore, chosen: str, listed: dict[str, Any]) -> list[Act]:
    """Acts after the copy: save the current data, stop all members, forget the cluster, start with the copy."""
    run, env = wanted.run, wanted.run.environment
    members = [host.name for host in env.group("postgresql")]
    if missing := [name for name in members if not run.hosts.reaches(name)]:
        raise OperatorError(
            f"this run does not reach {', '.join(missing)}, which would continue with the old data: bring it back "
            "online, or remove it from the inventory"
        )
    acts: list[Act] = []
    if wanted.primary and listed["system"] == listed["saved_system"]:
        what = "Save PostgreSQL as it is now"
        acts.append(save(run, chosen, what, [wanted.store], wanted.hours, "incr"))
    others = [name for name in members if name != chosen]
    stamp = dt.datetime.now(dt.UTC).strftime("before-%Y%m%d%H%M")
    acts += [program(run, name, f"Stop PostgreSQL on {name}", ["stop"]) for name in [*others, chosen]]
    etcd = env.group("etcd")[0].name
    context = {"endpoints": endpoints(env), "tls": TLS, "prefix": f"/service/{SCOPE}/"}
    forget = "Remove the former cluster's state from etcd"
    acts.append(Act(forget, lambda: carry_out(run, etcd, "remove the cluster's state", FORGET, "reset", context), etcd))
    what = f"Start PostgreSQL on {chosen} with the copy; its former data stays in {data(env)}.{stamp}"
    acts.append(program(run, chosen, what, ["place", stamp]))
    acts += [program(run, name, f"Copy {chosen}'s data to {name}", ["follow"]) for name in others]
    return acts
