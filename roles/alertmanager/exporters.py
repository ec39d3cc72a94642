"""Alertmanager's own metrics."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import Exporter


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """Alerts that came in and notifications that went out, or did not."""
    yield Exporter("alertmanager", int(host.setting.alertmanager_port), tls=True)
