"""Settings of the redis role."""

redis_port: int = 6379
redis_cache_port: int = 6380

# Of the host's memory for data, at most the documented figure for each of the two.
redis_memory_percent: int = 40
redis_cache_memory_percent: int = 20

# The documents say allkeys-lru, which the cache has. It would evict sessions that still count, so the other
# instance refuses writes once its memory is full.
redis_maxmemory_policy: str = "noeviction"

# A primary that has heard of no replica for so long refuses writes: what one that is cut off can acknowledge
# and lose is bounded by it. Replicas answer every second.
redis_replica_lag_seconds: int = 5

redis_backlog_mb: int = 16  # of writes that a replica may have missed without copying everything again

redis_proxy_port: int = 6379  # of the proxy on the hosts that run services
redis_cache_proxy_port: int = 6380
# The proxy asks each server whether it is the primary, and every Sentinel which one is.
redis_proxy_check_ms: int = 2000
redis_proxy_view_port: int = 6390  # on the proxy's loopback: what the Sentinels agree on
