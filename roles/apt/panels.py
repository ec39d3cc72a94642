"""Panels about updates."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot

WAITING = 'sum by (host) (nexus_pending_updates{security="true"})'
IN_ORDER = 'sum by (host) (nexus_pending_updates{in_order="true"})'


def panels(env: Environment) -> Iterator[Panel]:
    """Updates that wait."""
    yield plot(
        "infrastructure",
        "Pending security updates",
        "number",
        "Packages with a security update that is not installed. More than a day above 0: deploys/update.py.",
        (WAITING, "{{host}}"),
    )
    yield plot(
        "infrastructure",
        "Pending updates of daemons",
        "number",
        "Packages that deploys/update.py alone updates, since their daemons restart in order.",
        (IN_ORDER, "{{host}}"),
    )
