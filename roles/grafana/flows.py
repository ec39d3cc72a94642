"""Who connects to Grafana."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import SELF, Flow, flow


def flows(env: Environment) -> Iterator[Flow]:
    """Browsers of operators, whose SSH client forwards to loopback."""
    yield flow(env, SELF, "ops", "grafana_port", "browsers of operators, by ssh -L, where grafana_enabled")
