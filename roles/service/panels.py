"""Panels about tasks and containers of services. Each manager tells the same, so the highest number counts."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, highest, plot, table, value

BOARD = "services"
RUNNING = 'max by (service) (nexus_service_tasks{state="running"})'
WANTED = "max by (service) (nexus_service_tasks_wanted)"
CORES = "sum by (service) (container:cpu_cores:rate5m)"
MEMORY = "sum by (service) (nexus_container_memory_bytes)"
LIMIT = "max by (service) (nexus_service_memory_limit_bytes)"
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
    plot(
        BOARD,
        "Processor by service",
        "number",
        "Cores in use by all containers of the services that use the most now.",
        (highest(CORES, "service"), "{{service}}"),
    ),
    plot(
        BOARD,
        "Memory by service",
        "bytes",
        "Memory of all containers of the services that use the most now.",
        (highest(MEMORY, "service"), "{{service}}"),
    ),
    table(
        BOARD,
        "Containers of services",
        "Tasks as the swarm's managers count them, and what all containers of a service use together.",
        "service",
        (WANTED, "wanted", "number"),
        (RUNNING, "running", "number"),
        (FAILED, "failed in 15 min", "number"),
        (CORES, "cores", "number"),
        (MEMORY, "memory", "bytes"),
        (LIMIT, "memory limit of one", "bytes"),
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
