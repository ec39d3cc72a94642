"""Who connects to PostgreSQL, to Patroni's API and to PostgreSQL's ports of the proxy."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import CONTAINERS, Flow, flow


def flows(env: Environment) -> Iterator[Flow]:
    """Replication, members, health checks of the proxy, and services."""
    yield flow(env, "postgresql", "postgresql", "postgresql_port", "replication; the pooler reaches its server")
    yield flow(env, "app", "postgresql", "postgresql_port", "the proxy, past the pooler, for migrations")
    yield flow(env, "postgresql", "postgresql", "postgresql_rest_port", "Patroni's members")
    yield flow(env, "app", "postgresql", "postgresql_rest_port", "the proxy asks who is primary")
    yield flow(env, CONTAINERS, "app", "postgresql_proxy_port", "services reach the primary")
    yield flow(env, CONTAINERS, "app", "postgresql_proxy_replica_port", "services read from replicas")
    yield flow(env, CONTAINERS, "app", "postgresql_proxy_direct_port", "migrations of services")
