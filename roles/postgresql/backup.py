"""The backup and restore of PostgreSQL: pgBackRest, at whichever member is primary."""

from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, Directory, File, State
from nexus.run.run import Run
from roles.backup.host.paths import RECORDS
from roles.backup.store import Store
from roles.postgresql import pgbackrest
from roles.postgresql.host.planned import BACKUP_TITLE, BACKUP_TYPES
from roles.postgresql.patroni import STANZA, data
from roles.postgresql.plan import context
from roles.postgresql.restore import restore, restore_service
from roles.storage.plan import BACKUP as BACKUPS
from roles.storage.plan import access, bucket

HOST = Path(__file__).parent / "host"
DIRECTORIES = ("/var/log/pgbackrest", "/var/spool/pgbackrest", "/var/lib/pgbackrest")


def config(env: Environment, host: Host) -> dict[str, Any]:
    """How the program reaches the server and its bucket, and when which type of backup is due."""
    return {
        **context(env),
        "members": {member.name: member.address for member in env.group("postgresql")},
        "stanza": STANZA,
        "repository": pgbackrest.repository(env).lstrip("/"),
        "data": data(env),
        "socket": pgbackrest.SOCKET,
        "full_hours": pgbackrest.full_hours(env),
        "differential_hours": env.setting.backup_differential_hours,
        "checksum_rows": env.setting.backup_checksum_rows,
    }


def desired(env: Environment) -> Desired:
    """Plan pgBackRest the same on every member, since any of them may become primary."""
    return Desired(
        packages=("pgbackrest",),
        directories=tuple(Directory(path, "postgres", "postgres", 0o750) for path in DIRECTORIES),
        files=(File(pgbackrest.CONFIG, pgbackrest.config(env), group="postgres", mode=0o640, secret=True),),
        states=(_stanza(env),),
    )


def takes_writes(run: Run, name: str) -> bool:
    """Whether this member is primary, according to its Patroni."""
    asked = {**context(run.environment), "name": name}
    found = run.hosts.ask_source(name, HOST / "is_primary.py", ["postgresql"], asked)
    return bool(found.get("postgresql", {}).get("primary"))


def _stanza(env: Environment) -> State:
    """PostgreSQL's part of the bucket belongs to this cluster; once it does, the first backup starts."""
    where = f"{access(env, BACKUPS)['endpoint']}/{bucket(env)}{pgbackrest.repository(env)}"
    known = {
        "where": where,
        "data": data(env),
        "records": RECORDS,
        "stanza": STANZA,
        "service": env.catalogue.operations.backups.service,
        "wait_seconds": int(env.setting.postgresql_join_seconds),
    }
    items = {"stanza": {"ours": True}}
    return State("backup stanza", HOST / "backup_state.py", items, context=known)


BACKUP = Store(
    config=config,
    desired=desired,
    title=BACKUP_TITLE,
    takes_writes=takes_writes,
    types=BACKUP_TYPES,
    restore=restore,
    restore_service=restore_service,
    by_default=True,
    tests=True,
)
