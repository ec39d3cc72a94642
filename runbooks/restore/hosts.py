"""The hosts of each store, and the one that accepts its writes."""

from nexus.run.run import Run
from roles.backup.store import stores


def hosts_of(run: Run, store: str) -> list[str]:
    """All hosts of a store."""
    return [host.name for host in run.all_roles.hosts(store, run.environment)]


def primaries(run: Run) -> dict[str, str]:
    """The host that accepts the writes of each store, as the hosts report; stores without one are left out."""
    found = {}
    for name, store in stores(run.all_roles).items():
        reached = (host for host in hosts_of(run, name) if run.hosts.reaches(host))
        if primary := next((host for host in reached if store.takes_writes(run, host)), None):
            found[name] = primary
    return found
