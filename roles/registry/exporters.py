"""The registry's own metrics."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import RUNTIME, Exporter
from roles.registry.plan import METRICS_PORT, registry_host


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """Requests and times of the storage."""
    if host == registry_host(env):
        yield Exporter("registry", METRICS_PORT, drop="registry_http_.*_size_bytes_bucket|" + RUNTIME)
