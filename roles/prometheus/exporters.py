"""Prometheus's own metrics, and those of requests that it has made from outside."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import Exporter
from roles.prometheus.probe import probes


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """Its scrapes, rules and notifications; requests to every edge host."""
    yield Exporter("prometheus", int(host.setting.prometheus_port))
    yield from probes(env)
