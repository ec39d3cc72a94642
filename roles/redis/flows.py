"""Who connects to both instances of Redis, and to their ports of the proxy."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import CONTAINERS, SELF, Flow, flow


def flows(env: Environment) -> Iterator[Flow]:
    """Replication and Sentinels, the proxy, and services."""
    for instance in ("redis", "redis_cache"):
        yield flow(env, "redis", "redis", f"{instance}_port", "replication and Sentinels")
        yield flow(env, "app", "redis", f"{instance}_port", "the proxy, for services")
        yield flow(env, CONTAINERS, "app", f"{instance}_proxy_port", "services reach the primary")
    yield flow(env, SELF, "app", "redis_proxy_view_port", "the proxy's count of the Sentinels")
