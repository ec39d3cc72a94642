"""Metrics of containers: processor time and memory by container, from the processes of the host.

The engine's own metrics are left out: switching them on restarts it, and with it every container of the host.
"""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import File
from nexus.run.exporter import Exporter

PORT = 9256
CONFIG = "/etc/prometheus/process-exporter.yml"
# Files and threads are not asked for: as an account of its own the exporter may not see them, and it would try.
DROP = "go_.*|namedprocess_namegroup_(?:read|write|major|minor|open|worst|context|oldest|states|thread).*"


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """Process exporter; the swarm's file of metrics says which container belongs to which service."""
    if not host.groups & {"app", "edge"}:
        return  # a host that only builds images
    arguments = (
        f"--web.listen-address=127.0.0.1:{PORT}",
        f"--config.path={CONFIG}",
        "--threads=false",
        "--gather-smaps=false",
        "--children=false",
        "--remove-empty-groups",
    )
    files = (File(CONFIG, env.render("docker/process.yml.j2")),)
    yield Exporter("process", PORT, package="prometheus-process-exporter", arguments=arguments, files=files, drop=DROP)
