"""Alerts about the Sentinels, which decide who is primary; `master_name` is the instance that they watch."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert


def alerts(env: Environment) -> Iterator[Alert]:
    """A primary that is down for the Sentinels, and Sentinels that cannot agree on another."""
    yield Alert(
        "RedisPrimaryDown",
        "max by (master_name) (redis_sentinel_master_status)",
        "Redis: the primary of {{ $labels.master_name }} is down for every Sentinel",
        "deploys/status.py shows the servers; deploys/failover.py",
    )
    yield Alert(
        "RedisSentinelQuorum",
        "min by (host, master_name) (redis_sentinel_master_ckquorum_status)",
        "{{ $labels.host }}: too few Sentinels for a failover of {{ $labels.master_name }}",
        "journalctl -u redis-sentinel on the hosts of Redis; deploys/data.py",
    )
