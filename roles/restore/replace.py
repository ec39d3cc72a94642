"""A restored copy takes the place of the whole PostgreSQL."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from roles.backup.pgbackrest import data
from roles.etcd.plan import TLS, endpoints
from roles.kit.error import OperatorError
from roles.kit.run import Run
from roles.postgresql.patroni import SCOPE
from roles.restore.backup import UNIT
from roles.restore.host import program
from roles.restore.unit import work
from roles.runbook import Act, carry_out

FORGET = Path(__file__).with_name("forget.py")


def replace_cluster(run: Run, chosen: str, listed: dict[str, Any], lead: dict[str, str]) -> list[Act]:
    """Acts after the copy: save what is there, stop all members, forget the cluster, start with the copy."""
    env = run.environment
    members = [host.name for host in env.group("postgresql")]
    if missing := [name for name in members if not run.reaches(name)]:
        raise OperatorError(
            f"{', '.join(missing)} is not reached by this run, and would go on with the old data: bring it back, or "
            "take it out of the inventory"
        )
    acts: list[Act] = []
    hours = env.setting.restore_backup_hours
    if lead.get("postgresql") and listed["system"] == listed["saved_system"]:
        what = "Save PostgreSQL as it is now"
        acts.append(work(run, chosen, what, UNIT, "backup --only postgresql --type incr", ["postgresql"], hours))
    others = [name for name in members if name != chosen]
    stamp = dt.datetime.now(dt.UTC).strftime("before-%Y%m%d%H%M")
    acts += [program(run, name, f"Stop PostgreSQL on {name}", ["stop"]) for name in [*others, chosen]]
    etcd = env.group("etcd")[0].name
    context = {"endpoints": endpoints(env), "tls": TLS, "prefix": f"/service/{SCOPE}/"}
    forget = "Forget the cluster as it was agreed on in etcd"
    acts.append(Act(forget, lambda: carry_out(run, etcd, "forget the cluster in etcd", FORGET, context), etcd))
    what = f"Start PostgreSQL on {chosen} with the copy; what it had stays in {data(env)}.{stamp}"
    acts.append(program(run, chosen, what, ["place", stamp]))
    acts += [program(run, name, f"Copy {chosen}'s data to {name}", ["follow"]) for name in others]
    return acts
