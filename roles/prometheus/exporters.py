"""Prometheus's own metrics."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import Exporter


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """Its scrapes, rules and notifications."""
    yield Exporter("prometheus", int(host.setting.prometheus_port))
