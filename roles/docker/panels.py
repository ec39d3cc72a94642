"""Panels about containers: processor and memory of each service, from its processes."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, highest, plot, table

BOARD = "services"
# The swarm's metrics say which service a container belongs to; one of them is in a group of processes of its name.
NAMED = (
    '* on (host, groupname) group_left (service) label_replace(nexus_container_info, "groupname", "$1", "id", "(.*)")'
)
CORES = f"sum by (service) (sum by (host, groupname) (rate(namedprocess_namegroup_cpu_seconds_total[5m])) {NAMED})"
MEMORY = f'sum by (service) (namedprocess_namegroup_memory_bytes{{memtype="resident"}} {NAMED})'


PANELS = (
    plot(
        BOARD,
        "Processor by service",
        "number",
        "Cores in use by all tasks of the services that use the most now.",
        (highest(CORES, "service"), "{{service}}"),
    ),
    plot(
        BOARD,
        "Memory by service",
        "bytes",
        "Memory of all tasks of the services that use the most now.",
        (highest(MEMORY, "service"), "{{service}}"),
    ),
    table(
        BOARD,
        "Resources of services",
        "Of all tasks of a service together.",
        "service",
        (CORES, "cores", "number"),
        (MEMORY, "memory", "bytes"),
    ),
)


def panels(env: Environment) -> Iterator[Panel]:
    """What services use."""
    yield from PANELS if env.group("app") else ()
