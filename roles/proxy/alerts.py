"""Alerts about stores that services do not reach."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert
from roles.proxy.plan import sections


def alerts(env: Environment) -> Iterator[Alert]:
    """Every section leads to a member of its store; other backends only help one to decide."""
    names = "|".join(section.name for section in sections(env))
    yield Alert(
        "BackendWithoutServers",
        f'haproxy_backend_status{{job="proxy",state="UP",proxy=~"{names}"}}',
        "{{ $labels.host }}: {{ $labels.proxy }} leads nowhere, services of this host do not reach the store",
        "deploys/status.py shows the store's members; then deploys/failover.py or deploys/data.py",
    )
