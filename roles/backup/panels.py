"""Panels about backups of all stores."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, table
from roles.storage.plan import present


def panels(env: Environment) -> Iterator[Panel]:
    """When each kind of backup last succeeded; nothing where nothing is saved."""
    if present(env):
        yield table(
            "overview",
            "Backups",
            "Time since the last good backup of each kind, and since the last restore that was proven.",
            "kind",
            ("time() - max by (kind) (nexus_backup_last_success_timestamp_seconds)", "age", "seconds"),
        )
