"""Asking hosts about backups, and having them act."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from roles.backup.plan import STORES
from roles.kit.error import OperatorError
from roles.kit.run import Run
from roles.postgresql.cluster import PROBE_SECONDS
from roles.postgresql.plan import REST, context
from roles.runbook import Act, carry_out
from roles.storage.plan import present

SOURCE = Path(__file__).with_name("remote.py")
ROLE = Path(__file__).with_name("role.py")


def savers(run: Run) -> list[str]:
    """Hosts of this run that save something; OperatorError where nothing is saved at all."""
    env = run.environment
    if not present(env):
        raise OperatorError(
            f"{env.name} has no object storage, so there are no backups: put a host into the group storage, or name a "
            "bucket elsewhere by storage_endpoint"
        )
    found = [host.name for host in env.hosts if "backup" in run.roles(host.name) and run.reaches(host.name)]
    if not found:
        raise OperatorError(f"none of the hosts of {env.name} that save something is reached by this run: drop --limit")
    return found


def ask(run: Run, name: str, what: str, **values: Any) -> dict[str, Any]:
    """One answer of a host."""
    found: dict[str, Any] = run.ask_source(name, SOURCE, [what], values)[what]
    return found


def program(run: Run, name: str, what: str, words: list[str]) -> Act:
    """An act of the restore program on a host; `what` in the imperative."""
    context = {"program": "restore", "words": words}
    return Act(what, lambda: carry_out(run, name, what[0].lower() + what[1:], SOURCE, context), name)


def primaries(run: Run) -> dict[str, str]:
    """Host that takes the writes of each store, as the hosts themselves say; nothing for a store without one."""
    env, found = run.environment, {}
    for store in STORES:
        for host in env.group(store):
            if run.reaches(host.name) and store not in found:
                asked = {"store": store, **_access(run, host.name, store)}
                libraries = REST if store == "postgresql" else ("roles.redis.client",) if store == "redis" else ()
                if run.ask_source(host.name, ROLE, [store], asked, libraries).get(store, {}).get("primary"):
                    found[store] = host.name
    return found


def _access(run: Run, name: str, store: str) -> dict[str, Any]:
    env = run.environment
    if store == "postgresql":
        return {**context(env), "name": name, "seconds": PROBE_SECONDS}
    if store == "redis":
        from roles.redis.instance import PERSISTENT
        from roles.redis.users import ADMIN

        return {"socket": PERSISTENT.socket, "user": ADMIN, "password": env.secret("redis/admin")}
    return {}
