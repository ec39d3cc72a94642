"""Panels about PostgreSQL: its queries and locks, its cluster, and its backups."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot, table, value
from roles.storage.plan import present

BOARD, STORE = "database", "postgresql"
# What a replica has not yet replayed, from the position of the primary: a replica that is cut off cannot say it.
BEHIND = (
    "max by (scope) (patroni_xlog_location) - on (scope) group_right () "
    "(patroni_xlog_replayed_location and patroni_replica == 1)"
)

DATABASE = (
    value(
        BOARD,
        "Connections",
        "number",
        "Connections of the server that has the most. The alert is at 80.",
        ("max(sum by (host) (pg_stat_database_numbackends))", "connections"),
    ),
    plot(
        BOARD,
        "Transactions",
        "per second",
        "Committed and rolled back, of all databases.",
        ("sum(rate(pg_stat_database_xact_commit[5m]))", "committed"),
        ("sum(rate(pg_stat_database_xact_rollback[5m]))", "rolled back"),
    ),
    plot(
        BOARD,
        "Connections by state",
        "number",
        "Idle in transaction should be rare: such a connection holds locks.",
        ("sum by (state) (pg_stat_activity_count) > 0", "{{state}}"),
    ),
    plot(
        BOARD,
        "Temporary files",
        "bytes per second",
        "What queries write to disk because it does not fit into work_mem.",
        ("sum by (host) (rate(pg_stat_database_temp_bytes[5m]))", "{{host}}"),
    ),
    plot(BOARD, "Locks", "number", "Locks that are held, by mode.", ("sum by (mode) (pg_locks_count) > 0", "{{mode}}")),
    plot(
        BOARD,
        "Deadlocks",
        "per second",
        "Deadlocks that the server resolved. Normal: 0.",
        ("sum by (host) (rate(pg_stat_database_deadlocks[5m]))", "{{host}}"),
    ),
    plot(
        BOARD,
        "Blocks found in memory",
        "ratio",
        "Share of the blocks read that were in PostgreSQL's memory. Above 95 % is normal.",
        (
            "sum by (host) (rate(pg_stat_database_blks_hit[5m])) / (sum by (host) "
            "(rate(pg_stat_database_blks_hit[5m])) + sum by (host) (rate(pg_stat_database_blks_read[5m])))",
            "{{host}}",
        ),
    ),
    plot(
        BOARD,
        "Rows changed",
        "per second",
        "Rows inserted, updated and deleted on the primary.",
        ("sum(rate(pg_stat_database_tup_inserted[5m]))", "inserted"),
        ("sum(rate(pg_stat_database_tup_updated[5m]))", "updated"),
        ("sum(rate(pg_stat_database_tup_deleted[5m]))", "deleted"),
    ),
    table(
        BOARD,
        "Databases",
        "The databases, the largest ones if there are more than 40.",
        "datname",
        ("topk(40, max by (datname) (pg_database_size_bytes))", "size", "bytes"),
        ("sum by (datname) (pg_stat_database_numbackends)", "connections", "number"),
        ("sum by (datname) (rate(pg_stat_database_xact_commit[5m]))", "transactions", "per second"),
    ),
)

CLUSTER = (
    value(STORE, "Primaries", "number", "Members that are primary. Normal: 1.", ("sum(patroni_primary)", "primary")),
    value(STORE, "Members", "number", "Members whose server runs.", ("sum(patroni_postgres_running)", "running")),
    value(
        STORE,
        "Synchronous replicas",
        "number",
        "Replicas that have each write before it is acknowledged. Normal: 1, or 0 on a single host.",
        ("sum(patroni_sync_standby)", "synchronous"),
    ),
    plot(STORE, "Primary", "yes or no", "Which member is the primary.", ("patroni_primary", "{{host}}")),
    plot(
        STORE,
        "Timeline",
        "number",
        "It grows by one with each change of primary, and is the same on all members.",
        ("patroni_postgres_timeline", "{{host}}"),
    ),
    plot(
        STORE,
        "Patroni's last contact with etcd",
        "seconds",
        "Time since a member last read the state of the cluster.",
        ("time() - patroni_dcs_last_seen", "{{host}}"),
    ),
    plot(
        STORE,
        "Write-ahead log written",
        "bytes per second",
        "By the primary.",
        ("sum by (scope) (rate(patroni_xlog_location[5m]))", "{{scope}}"),
    ),
    plot(
        STORE,
        "Write-ahead log on disk",
        "bytes",
        "It grows while it cannot be archived or a replica is away.",
        ("pg_wal_size_bytes", "{{host}}"),
    ),
)

BACKUPS = (
    value(
        STORE,
        "Age of the newest backup",
        "seconds",
        "Time since the last backup of any kind ended.",
        ("min(pgbackrest_backup_since_last_completion_seconds)", "age"),
    ),
    plot(
        STORE,
        "Age of backups",
        "seconds",
        "Time since the last backup of each kind ended.",
        ("min by (backup_type) (pgbackrest_backup_since_last_completion_seconds)", "{{backup_type}}"),
    ),
    plot(
        STORE,
        "Segments that could not be archived",
        "per second",
        "Normal: 0. Without the archive no point in time after the last backup can be restored.",
        ("rate(pg_stat_archiver_failed_count[5m])", "{{host}}"),
    ),
)

REPLICAS = (
    plot(
        BOARD, "Replicas behind the primary", "bytes", "Log that a replica has not replayed yet.", (BEHIND, "{{host}}")
    ),
)


def panels(env: Environment) -> Iterator[Panel]:
    """Queries, connections, locks and lag; members and disk of the cluster; backups."""
    replicas = REPLICAS if len(env.group("postgresql")) > 1 else ()
    yield from (*DATABASE, *replicas, *CLUSTER, *(BACKUPS if present(env) else ()))
