"""pgBackRest's configuration."""

from nexus.environment.environment import Environment
from roles.backup.plan import retention_days
from roles.postgresql.patroni import STANZA, data
from roles.storage.plan import BACKUP, access

CONFIG = "/etc/pgbackrest/pgbackrest.conf"
SOCKET = "/run/postgresql"


def config(env: Environment) -> str:
    """Return the file, the same on every member, since any of them may become primary."""
    return env.render(
        "postgresql/pgbackrest.conf.j2",
        storage=access(env, BACKUP),
        path=repository(env),
        cipher=env.secret("backup/postgresql"),
        retention_days=retention_days(env),
        stanza=STANZA,
        data=data(env),
        socket=SOCKET,
    )


def repository(env: Environment) -> str:
    """Return the path of PostgreSQL's backups in the bucket."""
    series = str(env.setting.backup_series)
    return f"/postgres-{series}" if series else "/postgres"


def full_hours(env: Environment) -> int:
    """Hours between full backups."""
    figures = env.catalogue.operations.backups.database
    return int(env.setting.backup_full_hours or figures.full_every_hours)
