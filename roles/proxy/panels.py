"""Panels about the proxy through which services reach the stores."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot


def panels(env: Environment) -> Iterator[Panel]:
    """Members that it reaches, and connections."""
    yield plot(
        "database",
        "Members that the proxies reach",
        "number",
        "Members of each store that take connections, of the proxy that reaches the fewest. 0: services cannot work.",
        ('min by (proxy) (haproxy_backend_active_servers{job="proxy",proxy!="metrics"})', "{{proxy}}"),
    )
    yield plot(
        "database",
        "Connections through the proxies",
        "number",
        "Connections of services to the stores.",
        ('sum by (proxy) (haproxy_backend_current_sessions{job="proxy",proxy!="metrics"})', "{{proxy}}"),
    )
