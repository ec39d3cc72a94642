"""pgBackRest's configuration, and what PostgreSQL is told so that its log is archived."""

from __future__ import annotations

from typing import Any

from roles.kit.environment import Environment
from roles.storage.plan import BACKUP, access, present

STANZA = "nexus-cos"
CONFIG = "/etc/pgbackrest/pgbackrest.conf"
SOCKET = "/run/postgresql"


def parameters(env: Environment) -> dict[str, Any]:
    """PostgreSQL's settings for continuous archiving; off where there is nowhere to archive to."""
    if not present(env):
        return {}
    return {
        "archive_mode": "on",
        "archive_command": f"pgbackrest --stanza={STANZA} archive-push %p",
        "archive_timeout": int(env.setting.backup_archive_timeout_seconds),
    }


def config(env: Environment) -> str:
    """The file that every member has: the next primary needs what this one needs."""
    return env.render(
        "backup/pgbackrest.conf.j2",
        storage=access(env, BACKUP),
        path=repository(env),
        cipher=env.secret("backup/postgresql"),
        retention_days=retention_days(env),
        stanza=STANZA,
        data=data(env),
        socket=SOCKET,
    )


def data(env: Environment) -> str:
    """PostgreSQL's data directory."""
    return f"/var/lib/postgresql/{env.setting.postgresql_version}/main"


def repository(env: Environment) -> str:
    """Where PostgreSQL's backups lie in the bucket."""
    series = str(env.setting.backup_begin_anew)
    return f"/postgres-{series}" if series else "/postgres"


def retention_days(env: Environment) -> int:
    """For how long backups are kept."""
    figures = env.catalogue.operations.backups.database
    return int(env.setting.backup_retention_days or figures["retention_days"])


def full_hours(env: Environment) -> int:
    """Hours between full backups."""
    figures = env.catalogue.operations.backups.database
    return int(env.setting.backup_full_hours or figures["full_every_hours"])
