"""SeaweedFS's own metrics."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from roles.exporter.definition import Exporter
from roles.storage.plan import METRICS_PORT, server


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """Volumes, disk, requests, of the group's first host."""
    if host == server(env):
        yield Exporter("storage", METRICS_PORT)
