"""Alerts about both Redis instances; `server` is persistent or cache."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert

WHO = "{{ $labels.host }}: Redis ({{ $labels.server }})"
# Writes of the append-only file are refused, or the last copy to disk failed; the cache has no append-only file.
SAVED = 'min by (host, server) ({__name__=~"redis_(rdb_last_bgsave|aof_last_write)_status",server!="sentinel"})'


def alerts(env: Environment) -> Iterator[Alert]:
    """Servers that do not answer, follow or save, and memory that is used up."""
    yield Alert(
        "RedisDown",
        "redis_up",
        f"{WHO} does not answer",
        "journalctl -u redis-server -u redis-server@cache -u redis-sentinel there; deploys/data.py",
    )
    if len(env.group("redis")) > 1:
        yield Alert(
            "RedisLinkDown",
            "redis_master_link_up",
            f"{WHO} has lost its primary",
            "deploys/status.py shows who is primary; journalctl -u redis-server there",
        )
    yield Alert(
        "RedisMemoryNear",
        'redis_memory_used_bytes{server="persistent"} / (redis_memory_max_bytes > 0)',
        f"{WHO} uses {{{{ $value | humanizePercentage }}}} of its memory; full, it refuses writes",
        "raise redis_memory_percent, or find the keys: redis-cli --bigkeys",
    )
    yield Alert(
        "RedisNotSaved", SAVED, f"{WHO} cannot save its data to disk", "df and journalctl -u redis-server there"
    )
