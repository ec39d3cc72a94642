"""Metrics of the proxy: connections to the stores, and which members of a store it reaches."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import Exporter
from roles.proxy.plan import METRICS_PORT

METRICS = (
    "haproxy_process_current_connections",
    "haproxy_process_max_connections",
    "haproxy_process_uptime_seconds",
    "haproxy_frontend_current_sessions",
    "haproxy_frontend_sessions_total",
    "haproxy_backend_active_servers",
    "haproxy_backend_bytes_in_total",
    "haproxy_backend_bytes_out_total",
    "haproxy_backend_check_up_down_total",
    "haproxy_backend_connection_errors_total",
    "haproxy_backend_current_queue",
    "haproxy_backend_current_sessions",
    "haproxy_backend_sessions_total",
    "haproxy_backend_status",
    "haproxy_server_check_failures_total",
    "haproxy_server_current_sessions",
    "haproxy_server_status",
)


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """HAProxy's own figures, on loopback."""
    yield Exporter("proxy", METRICS_PORT, queries={"": {"metrics": ",".join(METRICS)}})
