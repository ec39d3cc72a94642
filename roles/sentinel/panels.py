"""Panels about the Sentinels."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot, table

PANELS = (
    plot(
        "redis",
        "Sentinels that agree",
        "number",
        "Sentinels that reach each other, for each primary. A majority must.",
        ("min by (master_name) (redis_sentinel_master_ok_sentinels)", "{{master_name}}"),
    ),
    table(
        "redis",
        "Primaries as the Sentinels see them",
        "For each name of a primary: replicas and Sentinels that answer.",
        "master_name",
        ("min by (master_name) (redis_sentinel_master_ok_slaves)", "replicas", "number"),
        ("min by (master_name) (redis_sentinel_master_ok_sentinels)", "Sentinels", "number"),
    ),
)


def panels(env: Environment) -> Iterator[Panel]:
    """What they agree on."""
    yield from PANELS
