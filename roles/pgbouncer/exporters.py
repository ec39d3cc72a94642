"""Metrics of the pooler."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import RUNTIME, Exporter
from roles.postgresql import access
from roles.postgresql.pgbackrest import SOCKET

PORT = 9127


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """Pools and clients, asked for at its console by a user that may only look."""
    source = f"postgres://{access.METRICS}@/pgbouncer?host={SOCKET}&port={env.setting.pgbouncer_port}&sslmode=disable"
    yield Exporter(
        "pgbouncer",
        PORT,
        package="prometheus-pgbouncer-exporter",
        arguments=(f"--web.listen-address=127.0.0.1:{PORT}", f"--pgBouncer.connectionString={source}"),
        user=access.METRICS,
        drop="pgbouncer_databases_(pool_size|max_connections)|" + RUNTIME,
    )
