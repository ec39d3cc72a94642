"""Settings of the redis role."""

from __future__ import annotations

redis_port: int = 6379
redis_memory_percent: int = 50  # of the host's memory for data, at most the documented figure

# The documents say allkeys-lru, which may evict a session that still counts. Only keys with a lifetime
# are evicted here, those that were not used for longest first: caches and sessions have one, and a
# session in use is recent. What has no lifetime stays, and writes fail once it fills the memory.
redis_maxmemory_policy: str = "volatile-lru"
