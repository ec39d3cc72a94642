"""Settings of the postgresql role."""

from __future__ import annotations

postgresql_version: int = 17  # Debian 13's
postgresql_port: int = 5432
postgresql_memory_percent: int = 100  # of the host's memory that PostgreSQL may plan with

# The server's default of 100 is what the documents' alerts fit, but one pool of 10 connections for each of
# the replicas that declare PostgreSQL overruns it; a pooler in front will bring it down again.
postgresql_max_connections: int = 300
postgresql_connection_limit: int = 20  # per log-in (operations.yaml, tuning.db_pool.max)

# Networks that may log in over TLS, such as "10.0.2.0/24"; hosts that run services when empty.
postgresql_client_networks: list[str] = []
