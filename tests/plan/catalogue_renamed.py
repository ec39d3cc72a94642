"""Fields with another name: file, edit, and the entry, field and message of the problem."""

from __future__ import annotations

RENAMED = {
    "renamed number that a role reads": (
        "operations.yaml",
        ("full_every_hours: 6, incremental_every_hours: 1", "full_every_hours: 6, incremental_evry_hours: 1"),
        ("backups", "database.incremental_evry_hours", "did you mean 'incremental_every_hours'?"),
    ),
    "renamed setting of PostgreSQL": (
        "operations.yaml",
        ("    work_mem: 20MB", "    work_memory: 20MB"),
        ("tuning", "postgresql.work_memory", "did you mean 'work_mem'?"),
    ),
    "renamed setting of Redis": (
        "operations.yaml",
        ("maxmemory-policy: allkeys-lru", "maxmemory_policy: allkeys-lru"),
        ("tuning", "redis.maxmemory_policy", "did you mean 'maxmemory-policy'?"),
    ),
    "renamed baseline": (
        "operations.yaml",
        ("  disk_percent: {target", "  disks_percent: {target"),
        ("baselines", "disks_percent", "did you mean 'disk_percent'?"),
    ),
    "renamed store": (
        "operations.yaml",
        ("  object-storage: {group", "  object_storage: {group"),
        ("stores", "object_storage", "did you mean 'object-storage'?"),
    ),
}
