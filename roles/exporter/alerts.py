"""Alerts about metrics that do not arrive."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert


def alerts(env: Environment) -> Iterator[Alert]:
    """Every planned target answers. A host that answers nothing is one alert, see inhibit_rules in alertmanager."""
    yield Alert(
        "HostDown",
        "max by (host) (up)",
        "{{ $labels.host }} does not answer at all",
        "deploys/status.py; start the host, or see docs/operations.md for a host that is gone",
    )
    yield Alert(
        "TargetDown",
        "up",
        "{{ $labels.host }}: metrics of {{ $labels.job }} cannot be read",
        "deploys/status.py shows whether the host answers; then deploys/monitoring.py",
    )
