"""The hosts of each store, and which of them takes its writes."""

from __future__ import annotations

from nexus.run.run import Run
from roles.backup.store import stores


def hosts_of(run: Run, store: str) -> list[str]:
    """All hosts of a store."""
    return [host.name for host in run.all_roles.hosts(store, run.environment)]


def primaries(run: Run) -> dict[str, str]:
    """Host that takes the writes of each store, as the hosts themselves say; nothing for a store without one."""
    found = {}
    for name, store in stores(run.all_roles).items():
        reached = (host for host in hosts_of(run, name) if run.hosts.reaches(host))
        if primary := next((host for host in reached if store.takes_writes(run, host)), None):
            found[name] = primary
    return found
