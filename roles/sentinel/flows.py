"""Who connects to the Sentinels."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import Flow, flow


def flows(env: Environment) -> Iterator[Flow]:
    """Each other, and the proxy."""
    yield flow(env, "redis", "redis", "sentinel_port", "Sentinels agree on the primary")
    yield flow(env, "app", "redis", "sentinel_port", "the proxy asks who is primary")
