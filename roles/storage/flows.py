"""Who connects to object storage."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import CONTAINERS, Flow, flow
from roles.storage.plan import server


def flows(env: Environment) -> Iterator[Flow]:
    """Backups of stores, and services with a bucket."""
    if host := server(env):
        yield flow(env, CONTAINERS, "storage", "storage_port", "buckets of services", (host.name,))
        for group in ("postgresql", "redis", "rabbitmq", "mongodb", "ops"):
            yield flow(env, group, "storage", "storage_port", "backups", (host.name,))
