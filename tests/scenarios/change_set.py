"""Changes of settings for the scenarios of interrupted runs."""

from __future__ import annotations

from typing import Any

# Changes every role that deploys something here, in their order, without rolling services unnecessarily.
LIGHT: dict[str, Any] = {
    "base_journal_bytes_max": "400M",
    "certificate_names": ["interrupted.example.com"],
    "etcd_quota_bytes": 2**29,
    "postgresql_connection_limit": 19,
    "postgresql_max_connections": 290,
    "pgbouncer_idle_seconds": 90,
    "proxy_idle_seconds": 1800,
    "redis_maxmemory_policy": "allkeys-lru",
    "sentinel_down_after_ms": 6000,
    "rabbitmq_disk_free_limit_mb": 500,
    "registry_user": "nexus-too",
    "docker_prune_schedule": "*-*-* 04:30:00",
    "swarm_heartbeat_seconds": 4,
    "router_check_interval_ms": 2500,
    "service_replicas": {"glitch": 2},
    "nginx_hsts_seconds": 86400,
    "log_store_pack_seconds": 200,
    "prometheus_retention_bytes_max": "4GB",
}

# In addition, every engine restarts, every image gets another name, and every service rolls.
HEAVY: dict[str, Any] = {
    **LIGHT,
    "docker_log_files": 4,
    "release": "1.0.1",
    "service_environment": {"INTERRUPTED": "yes"},
}

# Roles that these settings change only the first time: the registry's user gets a secret, which is backed up.
ONCE = {"backup"}

# How long after its first change a role may be interrupted, in seconds: its shortest duration.
DEPTH = {
    "packages": 15.0,
    "etcd": 6.0,
    "postgresql": 10.0,
    "rabbitmq": 5.0,
    "docker": 3.0,
    "image": 4.0,
    "service": 1.5,
    "nginx": 0.3,
}
DEPTH_HEAVY = {**DEPTH, "service": 30.0}
DEPTH_ELSE = 1.0
