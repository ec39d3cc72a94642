"""Alerts about the registry of images."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.prometheus.alert import Alert


def alerts(env: Environment) -> Iterator[Alert]:
    """Requests that fail."""
    yield Alert(
        "RegistryErrors",
        'sum by (host) (increase(registry_http_requests_total{code=~"5.."}[10m]))',
        "{{ $labels.host }}: the registry of images answered {{ $value | humanize }} requests with an error in 10 minutes",
        "journalctl -u docker-registry there; df of registry_directory",
    )
