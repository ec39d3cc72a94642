"""Panels about the pooler."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, highest, plot, value

BOARD = "database"

PANELS = (
    value(
        BOARD,
        "Clients that wait for a connection",
        "number",
        "Clients of PgBouncer whose pool is used up. Normal: 0.",
        ("sum(pgbouncer_pools_client_waiting_connections)", "waiting"),
    ),
    plot(
        BOARD,
        "Clients of the pooler",
        "number",
        "Connections of services to PgBouncer.",
        ("sum(pgbouncer_pools_client_active_connections)", "active"),
        ("sum(pgbouncer_pools_client_waiting_connections)", "waiting"),
    ),
    plot(
        BOARD,
        "Fullest pools",
        "number",
        "Connections to the server that are in use, of the databases with the most now.",
        (highest("sum by (database) (pgbouncer_pools_server_active_connections) > 0", "database"), "{{database}}"),
        absent="No connection is in use at this moment.",
    ),
    plot(
        BOARD,
        "Queries through the pooler",
        "per second",
        "Queries of services, by host of PgBouncer.",
        ("sum by (host) (rate(pgbouncer_stats_queries_pooled_total[5m]))", "{{host}}"),
    ),
    plot(
        BOARD,
        "Average query",
        "seconds",
        "Average duration of a query as PgBouncer sees it.",
        (
            "sum by (host) (rate(pgbouncer_stats_queries_duration_seconds_total[5m])) / "
            "sum by (host) (rate(pgbouncer_stats_queries_pooled_total[5m]) > 0)",
            "{{host}}",
        ),
        absent="There were no queries.",
    ),
    plot(
        BOARD,
        "Longest wait for a connection",
        "seconds",
        "How long the client that waits the longest has waited. Normal: 0.",
        ("max by (host) (pgbouncer_pools_client_maxwait_seconds)", "{{host}}"),
    ),
)


def panels(env: Environment) -> Iterator[Panel]:
    """Clients that wait, connections to the server, queries and their times."""
    yield from PANELS
