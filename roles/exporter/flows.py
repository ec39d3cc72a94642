"""Who connects to the metrics of a host."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import Flow, flow


def flows(env: Environment) -> Iterator[Flow]:
    """Prometheus on every ops host."""
    yield flow(env, "ops", "all", "exporter_port", "Prometheus reads metrics")
