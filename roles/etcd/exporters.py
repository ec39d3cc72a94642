"""etcd's own metrics."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import RUNTIME, Exporter

# Requests by method, and times of what happens rarely: nine of ten series, and no question needs them.
DROP = "grpc_.*|etcd_(debugging|grpc_proxy|mvcc_hash|snap)_.*|etcd_(server_apply|disk_backend_[ds]).*_bucket|" + RUNTIME


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """Leader, times of writes, size, traffic between members."""
    yield Exporter("etcd", int(host.setting.etcd_metrics_port), drop=DROP)
