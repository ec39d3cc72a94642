"""Who connects to the router."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import SELF, Flow, flow


def flows(env: Environment) -> Iterator[Flow]:
    """Nginx on the same host."""
    yield flow(env, SELF, "edge", "router_port", "Nginx hands requests on")
    yield flow(env, SELF, "edge", "router_metrics_port", "health and metrics")
    yield flow(env, SELF, "edge", "router_peer_port", "a reload, inside the container")
    yield flow(env, SELF, "edge", "router_admin_port", "a reload, inside the container")
