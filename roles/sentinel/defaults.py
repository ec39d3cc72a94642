"""Settings of the sentinel role."""

sentinel_port: int = 26379

# A primary that does not answer for so long is called down. Shorter takes a busy host for a lost one.
sentinel_down_after_ms: int = 5000
sentinel_failover_timeout_ms: int = 30000  # until a failover that does not come to an end is tried anew
sentinel_wait_seconds: int = 90  # for servers and Sentinels of other hosts to answer and to find each other
status_redis_lag_seconds: int = 30  # of a replica; the documents give a figure for PostgreSQL alone
