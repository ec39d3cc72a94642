"""Settings of the redis role."""

redis_port: int = 6379  # the port of the persistent instance
redis_cache_port: int = 6380  # the port of the cache

# The share of the host's memory for the persistent instance's data, at most the documented figure.
redis_memory_percent: int = 40
# The share of the host's memory for the cache's data, at most the documented figure.
redis_cache_memory_percent: int = 20

# The eviction policy of the persistent instance. The documents say allkeys-lru, which the cache has. In the
# persistent instance it would evict valid sessions, so that one refuses writes once its memory is full.
redis_maxmemory_policy: str = "noeviction"

# A primary that has heard from no replica for this long refuses writes. This bounds the writes that an isolated
# primary can acknowledge and lose. Replicas answer every second.
redis_replica_lag_seconds: int = 5

redis_backlog_mb: int = 16  # the size of the writes that a replica may miss without copying everything again

redis_proxy_port: int = 6379  # the proxy's port for the persistent instance on hosts that run services
redis_cache_proxy_port: int = 6380  # the proxy's port for the cache on hosts that run services
# The interval at which the proxy asks each server whether it is the primary, and every Sentinel which server is.
redis_proxy_check_ms: int = 2000
redis_proxy_view_port: int = 6390  # the port on the proxy's loopback that answers what the Sentinels agree on
