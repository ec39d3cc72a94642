"""Metrics of the router: what clients and services do, without the thousands of series of its servers."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import Exporter

METRICS = (
    "haproxy_process_current_connections",
    "haproxy_process_failed_resolutions",
    "haproxy_process_idle_time_percent",
    "haproxy_process_max_connections",
    "haproxy_process_uptime_seconds",
    "haproxy_frontend_bytes_in_total",
    "haproxy_frontend_bytes_out_total",
    "haproxy_frontend_current_sessions",
    "haproxy_frontend_http_requests_total",
    "haproxy_frontend_http_responses_total",
    "haproxy_frontend_request_errors_total",
    "haproxy_backend_active_servers",
    "haproxy_backend_bytes_in_total",
    "haproxy_backend_bytes_out_total",
    "haproxy_backend_check_up_down_total",
    "haproxy_backend_connection_errors_total",
    "haproxy_backend_current_queue",
    "haproxy_backend_current_sessions",
    "haproxy_backend_http_requests_total",
    "haproxy_backend_http_responses_total",
    "haproxy_backend_redispatch_warnings_total",
    "haproxy_backend_response_errors_total",
    "haproxy_backend_response_time_average_seconds",
    "haproxy_backend_retry_warnings_total",
    "haproxy_server_status",
)
# What HAProxy is asked for. Servers without a task are in maintenance and left out.
QUERY = {"metrics": ",".join(METRICS), "no-maint": ""}


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """HAProxy's own figures, at the port that it publishes."""
    yield Exporter("router", int(host.setting.router_metrics_port), queries={"": QUERY})
