"""Settings of the postgresql role."""

from __future__ import annotations

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
