"""Settings of the postgresql role."""

postgresql_version: int = 17  # the version of PostgreSQL in Debian 13
postgresql_port: int = 5432  # the port of the server itself; services use postgresql_proxy_port
postgresql_rest_port: int = 8008  # the port of Patroni's API, which says which member is primary
postgresql_memory_percent: int = 100  # the share of the host's memory that PostgreSQL may plan with

# The ports at which services reach PostgreSQL, on their own host.

postgresql_proxy_port: int = 5432  # the port of the primary, through PgBouncer
postgresql_proxy_replica_port: int = 5433  # the port for reading from replicas, through PgBouncer
# The port for work that needs its own session (migrations, LISTEN, advisory locks); it bypasses PgBouncer.
postgresql_proxy_direct_port: int = 5434

# The most connections of a server. This is PostgreSQL's default, which matches the documents' alerts at 80 and 95
# connections; see budget.py.
postgresql_max_connections: int = 100
postgresql_direct_connections: int = 10  # the part of postgresql_max_connections that bypasses the pooler
postgresql_own_connections: int = 10  # the part of postgresql_max_connections for Patroni, exporters and operators
postgresql_connection_limit: int = 20  # the most connections of one login (operations.yaml, tuning.db_pool.max)

# Networks that may log in over TLS, such as "10.0.2.0/24"; if empty, the hosts that run services.
postgresql_client_networks: list[str] = []

# A write is acknowledged when it is on two hosts. If only one host is left: with True, writes wait until a second
# host is back; with False, that host continues alone, and the writes that it acknowledges can be lost with it.
postgresql_synchronous_strict: bool = True
postgresql_replica_lag_bytes: int = 64 * 1024**2  # a replica further behind than this serves no reads
postgresql_join_seconds: int = 180  # how long to wait for a primary, and for a first replica to have its copy

# The primary renews its key in etcd each loop. If it fails for as long as it retries, it steps down.
# If the key is gone after ttl, a replica takes over. ttl must be at least loop + 2 * retry.
postgresql_ttl_seconds: int = 22
postgresql_loop_seconds: int = 5  # how often the primary renews its key in etcd
postgresql_retry_seconds: int = 7  # how long the primary tries to renew its key before it steps down

backup_full_hours: int = 0  # hours between full backups of PostgreSQL; if 0, backups.database.full_every_hours
backup_differential_hours: int = 3  # hours between differential backups; all others are incremental

# A log segment is archived when it is full, and after this time at the latest: this much may be lost with all hosts.
backup_archive_timeout_seconds: int = 60

# While the bucket is unreachable, the primary keeps the log until its disk is full, and the backups lose no write.
# If this is not 0, the primary drops the log beyond this many GB to keep its disk free. Restoring to a point in
# time then works again only after the next backup.
backup_wal_queue_gb: int = 0

backup_checksum_rows: int = 1_000_000  # tables with more rows are counted but not summed
backup_processes: int = 2  # the number of processes that compress and send in parallel

# A bucket with backups of another PostgreSQL cluster is never written to. Either restore that cluster
# (deploys/restore.py), or set this: the new cluster begins its own series, and the old backups stay next to it.
backup_series: str = ""  # A word that names the new series, such as "second".
# The time for a replica's copy: as long as the documents allow a recovery to take.
failover_rebuild_seconds: int = 4 * 3600

RENAMED = {"backup_begin_anew": "backup_series"}
