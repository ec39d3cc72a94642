"""Panels about tasks of services in the swarm. Each manager tells the same, so the highest number counts."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot, table, value

BOARD = "services"
RUNNING = 'max by (service) (nexus_service_tasks{state="running"})'
WANTED = "max by (service) (nexus_service_tasks_wanted)"
FAILED = "max by (service) (nexus_service_failed_tasks)"


PANELS = (
    value(
        BOARD,
        "Tasks",
        "number",
        "Tasks of services that run, and how many should.",
        (f"sum({RUNNING})", "running"),
        (f"sum({WANTED})", "wanted"),
    ),
    plot(
        BOARD,
        "Missing tasks",
        "number",
        "Tasks that should run and do not, by service.",
        (f"({WANTED} - {RUNNING}) > 0", "{{service}}"),
        absent="No task is missing.",
    ),
    plot(
        BOARD,
        "Failed tasks",
        "number",
        "Tasks that failed in the last 15 minutes, of the worst replica of a service.",
        (f"{FAILED} > 0", "{{service}}"),
        absent="No task failed.",
    ),
    table(
        BOARD,
        "Tasks of services",
        "What the swarm's managers say.",
        "service",
        (WANTED, "wanted", "number"),
        (RUNNING, "running", "number"),
        (FAILED, "failed in 15 min", "number"),
    ),
    table(
        "infrastructure",
        "Nodes of the swarm",
        "1: the managers find the node ready.",
        "node",
        ("max by (node) (nexus_swarm_node_ready)", "ready", "yes or no"),
    ),
)


def panels(env: Environment) -> Iterator[Panel]:
    """Tasks and nodes."""
    yield from PANELS
