"""Panels about MongoDB, from what its hosts know: Debian has no exporter for it."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot, value

BOARD = "mongodb"


def panels(env: Environment) -> Iterator[Panel]:
    """Whether it runs, and its disk."""
    yield value(
        BOARD,
        "Members",
        "number",
        "Hosts where the daemon runs.",
        ('sum(node_systemd_unit_state{name="mongod.service",state="active"})', "running"),
    )
    hosts = "|".join(host.name for host in env.group("mongodb"))
    yield plot(
        BOARD,
        "Disk",
        "ratio",
        "Share of the fullest file system of each host that is in use.",
        (
            f'max by (host) (1 - node_filesystem_avail_bytes{{host=~"{hosts}",fstype!="tmpfs"}} / '
            "node_filesystem_size_bytes)",
            "{{host}}",
        ),
    )
