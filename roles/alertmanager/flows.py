"""Who connects to Alertmanager."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import Flow, flow


def flows(env: Environment) -> Iterator[Flow]:
    """Every Prometheus tells every Alertmanager, and they tell each other what has been sent."""
    yield flow(env, "ops", "ops", "alertmanager_port", "Prometheus sends alerts; status and runbooks ask for them")
    yield flow(env, "ops", "ops", "alertmanager_cluster_port", "Alertmanagers agree on what has been sent")
