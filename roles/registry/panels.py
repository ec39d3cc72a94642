"""Panels about the registry of images."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot


def panels(env: Environment) -> Iterator[Panel]:
    """Its answers."""
    yield plot(
        "infrastructure",
        "Requests to the registry of images",
        "per second",
        "Answers by status. They come with releases and with tasks that start on another host.",
        ("sum by (code) (rate(registry_http_requests_total[5m]))", "{{code}}"),
        absent="There were no requests.",
    )
