"""Alerts about services that the router finds no healthy task of."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert

AUTH = "auth-service"  # has an alert of its own in operations.yaml
NO_SERVICES = "router_.*|window_.*|.*-canary"


def alerts(env: Environment) -> Iterator[Alert]:
    """A service is up while one router reaches a task of it that answers its health check."""
    yield Alert(
        "ServiceDown",
        _servers(f'proxy!~"{NO_SERVICES}|{AUTH}"'),
        "{{ $labels.service }}: no task answers its health check",
        "docker service ps --no-trunc nexus_{{ $labels.service }} on a manager; deploys/service.py",
    )
    yield Alert(
        "AuthServiceDown",
        _servers(f'proxy="{AUTH}"'),
        "{{ $labels.service }}: no task answers its health check, so nobody can log in",
        "docker service ps --no-trunc nexus_{{ $labels.service }} on a manager; deploys/service.py",
    )


def _servers(match: str) -> str:
    servers = f'haproxy_backend_active_servers{{job="router",{match}}}'
    return f'max by (service) (label_replace({servers}, "service", "$1", "proxy", "(.*)"))'
