"""Panels about the router: the tasks that it reaches, and what it does when one does not answer."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, highest, plot, table, value

BOARD = "services"
OURS = 'job="router",proxy!~"router_.*|window_.*|gateway"'  # backends of services
HEALTHY = f"max by (proxy) (haproxy_backend_active_servers{{{OURS}}})"


PANELS = (
    value(
        "overview",
        "Services that answer",
        "number",
        "Services with a task that the router finds healthy.",
        (f"sum({HEALTHY} > bool 0)", "answer"),
    ),
    value(
        "overview",
        "Services that do not answer",
        "number",
        "Services without any healthy task. Normal: 0.",
        (f"sum({HEALTHY} == bool 0)", "do not answer"),
    ),
    plot(
        BOARD,
        "Services without a healthy task",
        "yes or no",
        "They answer 503 until a task is healthy.",
        (f"({HEALTHY} == 0) + 1", "{{proxy}}"),
        absent="Each service had a healthy task.",
    ),
    plot(
        BOARD,
        "Connections tried again",
        "per second",
        "Retries, and requests that were sent to another task. Normal: near 0, but for releases.",
        (f"sum(rate(haproxy_backend_retry_warnings_total{{{OURS}}}[5m]))", "tried again"),
        (f"sum(rate(haproxy_backend_redispatch_warnings_total{{{OURS}}}[5m]))", "sent to another task"),
    ),
    plot(
        BOARD,
        "Requests that wait for a task",
        "number",
        "Requests in the router's queues. Normal: 0.",
        (highest(f"sum by (proxy) (haproxy_backend_current_queue{{{OURS}}}) > 0", "proxy"), "{{proxy}}"),
        absent="No request waits.",
    ),
    plot(
        BOARD,
        "Requests open at the router",
        "ratio",
        "Share of the connections that the router takes at most.",
        (
            'haproxy_process_current_connections{job="router"} / haproxy_process_max_connections{job="router"}',
            "{{host}}",
        ),
    ),
    table(
        BOARD,
        "Services as the router sees them",
        "Healthy tasks, requests under way, and the average time of the last 1024 answers.",
        "proxy",
        (HEALTHY, "tasks", "number"),
        (f"sum by (proxy) (haproxy_backend_current_sessions{{{OURS}}})", "under way", "number"),
        (f"max by (proxy) (haproxy_backend_response_time_average_seconds{{{OURS}}})", "answers in", "seconds"),
    ),
)


def panels(env: Environment) -> Iterator[Panel]:
    """Healthy tasks, retries, queues and times."""
    yield from PANELS
