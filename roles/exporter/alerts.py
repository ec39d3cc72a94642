"""Alerts about metrics that do not arrive."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.prometheus.alert import Alert


def alerts(env: Environment) -> Iterator[Alert]:
    """Every planned target answers."""
    yield Alert(
        "TargetDown",
        "up",
        "{{ $labels.host }}: metrics of {{ $labels.job }} cannot be read",
        "deploys/status.py shows whether the host answers; then deploys/monitoring.py",
    )
