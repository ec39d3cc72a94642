"""Who connects to Prometheus."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import SELF, Flow, flow


def flows(env: Environment) -> Iterator[Flow]:
    """Questions of runs, which are asked on the host itself."""
    yield flow(env, SELF, "ops", "prometheus_port", "status, reports and releases ask for metrics")
