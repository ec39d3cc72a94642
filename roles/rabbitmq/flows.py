"""Who connects to RabbitMQ, and to its port of the proxy."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import CONTAINERS, SELF, Flow, flow

DISTRIBUTION, EPMD = 25672, 4369  # Erlang's own


def flows(env: Environment) -> Iterator[Flow]:
    """Nodes, the proxy, and services."""
    yield flow(env, "app", "rabbitmq", "rabbitmq_port", "the proxy, for services")
    yield flow(env, CONTAINERS, "app", "rabbitmq_proxy_port", "services reach a node")
    yield flow(env, SELF, "rabbitmq", "rabbitmq_management_port", "runs and backups, over loopback")
    yield Flow("rabbitmq", "rabbitmq", DISTRIBUTION, "nodes of the cluster")
    yield Flow("rabbitmq", "rabbitmq", EPMD, "nodes find each other")
