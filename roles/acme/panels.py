"""Panels about the public certificate."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.acme.settings import enabled
from roles.grafana.panel import Panel, plot


def panels(env: Environment) -> Iterator[Panel]:
    """When it ends, and which edge hosts show it."""
    if not enabled(env):
        return
    yield plot(
        "infrastructure",
        "Public certificate",
        "seconds",
        "Time until it ends. It is renewed when a third of its life is left, or when the authority recommends it.",
        ("max(nexus_acme_ends_seconds) - time()", "left"),
    )
    yield plot(
        "infrastructure",
        "Edge hosts with the public certificate",
        "number",
        "1 where an edge host shows it to clients, as ops hosts see it.",
        ("max by (edge) (nexus_acme_shown)", "{{edge}}"),
    )
