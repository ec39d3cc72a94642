"""Metrics of the server, of Patroni and of the backups' repository."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import RUNTIME, Exporter
from roles.postgresql import access, pgbackrest
from roles.storage.plan import present

PORT, REPOSITORY_PORT = 9187, 9854
# Settings are planned, not measured. The database that it connects to has no tables of services.
WITHOUT = (
    "--disable-settings-metrics",
    "--no-collector.roles",
    "--no-collector.stat_user_tables",
    "--no-collector.statio_user_tables",
)
DROP = (
    "pg_stat_database_(conflicts.*|stats_reset|blk_.*_time|active_time.*)|pg_database_connection_limit|"
    "pg_stat_activity_max_tx_duration|" + RUNTIME
)
# Of backups only the last of each type: the list of all grows with every hour.
DROP_REPOSITORY = (
    "pgbackrest_backup_(annotations|delta|duration|error|info|references|repo|size).*|.*_map_bytes|" + RUNTIME
)
EVERY_SECONDS = 600  # how often the repository is listed


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """The server through its socket, as the account of the exporter and without a password; Patroni; the repository."""
    source = (
        f"user={access.METRICS} host={pgbackrest.SOCKET} port={env.setting.postgresql_port} "
        f"dbname={access.SUPERUSER} sslmode=disable"
    )
    yield Exporter(
        "postgresql",
        PORT,
        package="prometheus-postgres-exporter",
        arguments=(f"--web.listen-address=127.0.0.1:{PORT}", *WITHOUT),
        variables={"DATA_SOURCE_NAME": source},
        drop=DROP,
    )
    yield Exporter("patroni", int(host.setting.postgresql_rest_port), tls=True)
    if present(env):
        yield Exporter(
            "pgbackrest",
            REPOSITORY_PORT,
            package="prometheus-pgbackrest-exporter",
            arguments=(
                f"--web.listen-address=127.0.0.1:{REPOSITORY_PORT}",
                f"--backrest.config={pgbackrest.CONFIG}",
                f"--collect.interval={EVERY_SECONDS}",
            ),
            drop=DROP_REPOSITORY,
        )
