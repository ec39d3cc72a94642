"""Who connects to the base system of a host."""

from collections import defaultdict
from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import OPERATORS, Flow

EXPORTER = 9100  # Debian's default of prometheus-node-exporter


def flows(env: Environment) -> Iterator[Flow]:
    """SSH for runs, and the figures of each host."""
    ports: dict[int, list[str]] = defaultdict(list)
    for host in env.hosts:
        ports[int(dict(host.setting).get("ssh_port") or 22)].append(host.name)
    for port, names in ports.items():
        yield Flow(OPERATORS, "all", port, "runs, over SSH", only=tuple(names))
    yield Flow("ops", "all", EXPORTER, "figures of the host")
