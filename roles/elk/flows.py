"""Who connects to Elasticsearch and Kibana."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import SELF, Flow, flow


def flows(env: Environment) -> Iterator[Flow]:
    """Filebeat, Kibana and runs on the same host, and browsers of operators, whose SSH client forwards to loopback."""
    yield flow(env, SELF, "ops", "elasticsearch_port", "Kibana, Filebeat and runs, where elk_enabled")
    yield flow(env, SELF, "ops", "kibana_port", "browsers of operators, by ssh -L, where elk_enabled")
