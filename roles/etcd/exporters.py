"""etcd's own metrics."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from roles.exporter.definition import Exporter

# Requests by method and their sizes in steps: more than half of all series, and no question needs them.
DROP = "grpc_server_(started|msg_.*)_total|etcd_debugging_.*|go_.*"


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """Leader, times of writes, size, traffic between members."""
    yield Exporter("etcd", int(host.setting.etcd_metrics_port), drop=DROP)
