"""Who connects to MongoDB."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import CONTAINERS, Flow, flow


def flows(env: Environment) -> Iterator[Flow]:
    """Members of the replica set, and services: their drivers find the primary themselves."""
    yield flow(env, "mongodb", "mongodb", "mongodb_port", "members of the replica set")
    yield flow(env, CONTAINERS, "mongodb", "mongodb_port", "services")
