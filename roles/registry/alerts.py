"""Alerts about the registry of images."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert

ALL = "registry_http_requests_total"
GOOD = f'{ALL}{{code!~"5.."}}'  # a series with errors is there only after the first


def alerts(env: Environment) -> Iterator[Alert]:
    """Requests that fail."""
    yield Alert(
        "RegistryErrors",
        f"sum by (host) (increase({ALL}[10m])) - sum by (host) (increase({GOOD}[10m]) or {ALL} * 0)",
        '{{ $labels.host }}: the registry of images failed to answer {{ printf "%.0f" $value }} requests in 10 minutes',
        "journalctl -u docker-registry there; df of registry_directory",
    )
