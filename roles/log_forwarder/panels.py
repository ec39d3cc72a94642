"""Panels about log lines."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot


def panels(env: Environment) -> Iterator[Panel]:
    """What services log, and whether it arrives."""
    yield plot(
        "infrastructure",
        "Log lines of services",
        "per second",
        "Lines by level, of all services, Nginx and the router.",
        ("sum by (level) (rate(nexus_log_lines_total[5m]))", "{{level}}"),
    )
    yield plot(
        "infrastructure",
        "Errors that services log",
        "per second",
        "Lines of the levels error and fatal, of the ten services with the most.",
        ('topk(10, sum by (service) (rate(nexus_log_lines_total{level=~"error|fatal"}[5m])) > 0)', "{{service}}"),
        absent="No service logged an error.",
    )
    yield plot(
        "infrastructure",
        "Log lines wait for",
        "seconds",
        "Age of the oldest line of each host that was not sent to the log store. Below 60 s is normal.",
        ("nexus_log_forwarder_behind_seconds", "{{host}}"),
    )
