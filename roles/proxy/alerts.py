"""Alerts about stores that services do not reach."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.prometheus.alert import Alert


def alerts(env: Environment) -> Iterator[Alert]:
    """Every section leads to a member of its store."""
    yield Alert(
        "BackendWithoutServers",
        'haproxy_backend_active_servers{job="proxy"}',
        "{{ $labels.host }}: {{ $labels.proxy }} leads nowhere, services of this host do not reach the store",
        "deploys/status.py shows the store's members; then deploys/failover.py or deploys/data.py",
    )
