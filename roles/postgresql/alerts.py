"""Alerts about PostgreSQL's cluster, its servers and its log."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert
from roles.storage.plan import present

FAILOVER = "deploys/status.py shows the members"
# The primary's position in the log against what a replica replayed; a replica that is cut off shows its lag, too.
LAG = "(scalar(max(patroni_xlog_location)) - (patroni_xlog_replayed_location and patroni_replica == 1)) / 1048576"


def alerts(env: Environment) -> Iterator[Alert]:
    """Alerts of every cluster; those about replicas only where there are some, about archives only with a bucket."""
    yield from _cluster()
    yield from _servers()
    if len(env.group("postgresql")) > 1:
        yield from _replicas(bool(env.setting.postgresql_synchronous_strict))
    if present(env):
        yield from _archive()


def _cluster() -> Iterator[Alert]:
    yield Alert(
        "PostgresqlNoPrimary",
        # One that hangs while it stops still says that it is primary.
        "(sum(patroni_primary * patroni_postgres_running) or vector(0))",
        "{{ $value }} members of PostgreSQL are primary, {threshold} must be: no service can write",
        "deploys/status.py shows the members; etcd needs a majority for an election",
    )
    yield Alert(
        "PostgresqlSplitBrain",
        "sum(patroni_primary)",
        "{{ $value }} members of PostgreSQL are primary at once, {threshold} may be",
        "stop Patroni on the one that patronictl does not name: systemctl stop patroni",
    )
    yield Alert(
        "PostgresqlTimelineDiverged",
        "scalar(max(patroni_postgres_timeline)) - (patroni_postgres_timeline > 0)",
        "{{ $labels.host }}: PostgreSQL is {{ $value }} timelines behind the others ({threshold} allowed)",
        "deploys/rebuild_replica.py --data host={{ $labels.host }}",
    )
    yield Alert(
        "PostgresqlFailoverPaused",
        "max(patroni_is_paused)",
        "Patroni is paused: no replica takes over when the primary fails",
        "patronictl -c /etc/patroni/config.yml resume, on a host of PostgreSQL",
    )
    yield Alert(
        "PostgresqlPendingRestart",
        "patroni_pending_restart",
        "{{ $labels.host }}: PostgreSQL waits for a restart to apply its settings",
        "deploys/data.py restarts it",
    )


def _servers() -> Iterator[Alert]:
    yield Alert(
        "PostgresqlDown",
        "pg_up",
        "{{ $labels.host }}: PostgreSQL accepts no connection",
        "journalctl -u patroni there; deploys/data.py",
    )
    yield Alert(
        "DatabaseConnectionsHigh",
        "sum by (host) (pg_stat_database_numbackends)",
        "{{ $labels.host }}: {{ $value }} connections to PostgreSQL are open, the limit is {threshold}",
        "select usename, datname, count(*) from pg_stat_activity group by 1, 2 order by 3 desc, there",
    )


def _replicas(strict: bool) -> Iterator[Alert]:
    consequence = "no write is acknowledged" if strict else "a write is on one host only"
    yield Alert(
        "PostgresqlNoSynchronousStandby",
        "(sum(patroni_sync_standby) or vector(0))",
        f"PostgreSQL has {{{{ $value }}}} synchronous standbys, {{threshold}} is needed: {consequence}",
        FAILOVER,
    )
    yield Alert(
        "PostgresqlReplicationLag",
        LAG,
        "{{ $labels.host }}: PostgreSQL is {{ $value | humanize }} MiB behind the primary ({threshold} allowed)",
        "deploys/rebuild_replica.py --data host={{ $labels.host }}",
    )
    yield Alert(
        "PostgresqlNotStreaming",
        "(patroni_postgres_streaming unless patroni_replica == 0)",
        "{{ $labels.host }}: replica of PostgreSQL does not stream from the primary",
        "journalctl -u patroni there",
    )


def _archive() -> Iterator[Alert]:
    yield Alert(
        "PostgresqlArchiveFailing",
        "(increase(pg_stat_archiver_failed_count[10m]) unless increase(pg_stat_archiver_archived_count[10m]) > 0)",
        '{{ $labels.host }}: PostgreSQL failed to archive its log {{ printf "%.0f" $value }} times in 10 minutes',
        "journalctl -u patroni there; the bucket must answer: deploys/status.py",
    )
    yield Alert(
        "PostgresqlRepositoryBroken",
        "max(pgbackrest_stanza_status)",
        "The repository of PostgreSQL's backups is not usable: pgBackRest's status is {{ $value }}",
        "runuser -u postgres -- pgbackrest --config=/etc/pgbackrest/pgbackrest.conf info, on a host of PostgreSQL",
    )
