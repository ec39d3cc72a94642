"""Settings of the sentinel role."""

sentinel_port: int = 26379  # the port for other Sentinels and the proxy

# A primary that does not answer for this long counts as down. A shorter time takes a busy host for a lost one.
sentinel_down_after_ms: int = 5000
sentinel_failover_timeout_ms: int = 30000  # the time after which an unfinished failover is tried again
sentinel_wait_seconds: int = 90  # how long servers and Sentinels of other hosts have to answer and find each other
status_redis_lag_seconds: int = 30  # the allowed lag of a replica; the documents give a figure for PostgreSQL only
