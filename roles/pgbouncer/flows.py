"""Who connects to the pooler."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import Flow, flow


def flows(env: Environment) -> Iterator[Flow]:
    """The proxy of every host with services."""
    yield flow(env, "app", "postgresql", "pgbouncer_port", "the proxy, for services")
