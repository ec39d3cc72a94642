"""Settings of the redis role."""

redis_port: int = 6379  # the port of the persistent instance
redis_cache_port: int = 6380  # the port of the cache

# The share of the host's memory for data, at most the documented figure for each instance.
redis_memory_percent: int = 40  # for the persistent instance
redis_cache_memory_percent: int = 20  # the share of the host's memory for the cache's data

# The documents say allkeys-lru, which the cache has. In the persistent instance it would evict sessions that are
# still valid, so that instance refuses writes once its memory is full.
redis_maxmemory_policy: str = "noeviction"

# A primary that has heard from no replica for this long refuses writes. This bounds the writes that an isolated
# primary can acknowledge and lose. Replicas answer every second.
redis_replica_lag_seconds: int = 5

redis_backlog_mb: int = 16  # writes that a replica may miss without copying everything again

redis_proxy_port: int = 6379  # the proxy's port for the persistent instance on hosts that run services
redis_cache_proxy_port: int = 6380  # the proxy's port for the cache on hosts that run services
# The interval at which the proxy asks each server whether it is the primary, and every Sentinel which server is.
redis_proxy_check_ms: int = 2000
redis_proxy_view_port: int = 6390  # the port on the proxy's loopback that answers what the Sentinels agree on
