"""Panels about certificates."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot


def panels(env: Environment) -> Iterator[Panel]:
    """When they end."""
    yield plot(
        "infrastructure",
        "First certificate to end",
        "seconds",
        "Time until the certificate of each host that ends first does so. Hosts renew theirs in good time.",
        ('min by (host) (nexus_certificate_ends_seconds{path!~".*/ca.pem"}) - time()', "{{host}}"),
    )
