"""Settings of the postgresql role."""

postgresql_version: int = 17  # Debian 13's
postgresql_port: int = 5432
postgresql_rest_port: int = 8008  # Patroni's: who is primary, who is replica
postgresql_memory_percent: int = 100  # of the host's memory that PostgreSQL may plan with

# Where services reach it, on their own host: through PgBouncer, the same for reading from replicas, and
# directly, for what needs a session of its own (migrations, LISTEN, advisory locks).
postgresql_proxy_port: int = 5432
postgresql_proxy_replica_port: int = 5433
postgresql_proxy_direct_port: int = 5434

# The server's default, which the documents' alerts at 80 and 95 connections fit; see budget.py.
postgresql_max_connections: int = 100
postgresql_direct_connections: int = 10  # of these, past the pooler
postgresql_own_connections: int = 10  # of these, for Patroni, exporters and operators
postgresql_connection_limit: int = 20  # per log-in (operations.yaml, tuning.db_pool.max)

# Networks that may log in over TLS, such as "10.0.2.0/24"; hosts that run services when empty.
postgresql_client_networks: list[str] = []

# A write is acknowledged when it is on two hosts. With one host left: True, and writes wait until a second
# is back; False, and the one goes on alone, so that what it acknowledges then can be lost with it.
postgresql_synchronous_strict: bool = True
postgresql_replica_lag_bytes: int = 64 * 1024**2  # a replica that is further behind is not read from
postgresql_join_seconds: int = 180  # for a primary to be there, and for a first replica to have its copy

# The primary renews its key in etcd each loop. When it cannot for as long as it retries, it steps down;
# when the key is gone after ttl, a replica takes over. ttl must be at least loop + 2 * retry.
postgresql_ttl_seconds: int = 22
postgresql_loop_seconds: int = 5
postgresql_retry_seconds: int = 7

# Backups.
backup_full_hours: int = 0  # between full backups of PostgreSQL; backups.database.full_every_hours if 0
backup_differential_hours: int = 3  # between differential ones; the rest is incremental

# The log is archived when a segment is full, and after so long at the latest: what may be lost with all hosts.
backup_archive_timeout_seconds: int = 60

# With the bucket out of reach the log stays on the primary until its disk is full, and no write is lost from
# the backups. More than so many GB is given up for it where this is not 0: the disk is kept free, and a point
# in time can be restored again only after the next backup.
backup_wal_queue_gb: int = 0

backup_checksum_rows: int = 1_000_000  # of larger tables the rows are counted and not summed
backup_processes: int = 2  # that compress and send side by side

# A bucket with backups of another cluster of PostgreSQL is never written to: either that one is brought back
# (deploys/restore.py), or this says that the new one begins its own, and the old backups stay beside it.
backup_begin_anew: str = ""  # a word that names the new series, such as "second"
failover_rebuild_seconds: int = 4 * 3600  # for a replica's copy; as long as the documents allow a recovery to take
