"""Who connects to the base system of a host."""

from collections import defaultdict
from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import OPERATORS, Flow


def flows(env: Environment) -> Iterator[Flow]:
    """SSH for runs."""
    ports: dict[int, list[str]] = defaultdict(list)
    for host in env.hosts:
        ports[int(dict(host.setting).get("ssh_port") or 22)].append(host.name)
    for port, names in ports.items():
        yield Flow(OPERATORS, "all", port, "runs, over SSH", only=tuple(names))
