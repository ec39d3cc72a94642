"""Alerts about the poolers."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert


def alerts(env: Environment) -> Iterator[Alert]:
    """A pooler that does not answer, and clients that wait for a connection."""
    yield Alert(
        "PgbouncerDown",
        '(pgbouncer_up or up{job="pgbouncer"})',  # its exporter ends together with it
        "{{ $labels.host }}: PgBouncer does not answer",
        "journalctl -u pgbouncer there; deploys/data.py",
    )
    yield Alert(
        "PgbouncerClientsWaiting",
        "pgbouncer_pools_client_maxwait_seconds",
        "{{ $labels.host }}: {{ $labels.database }} waits {{ $value }} s for a connection ({threshold} allowed)",
        "raise pgbouncer_pool_size, or look for long transactions of {{ $labels.database }}",
    )
