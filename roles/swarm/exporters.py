"""Metrics of the swarm, from Docker's API on each node."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import Exporter, Textfile
from roles.swarm.plan import managers, nodes

SECONDS = 60


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """None: Docker shows nothing of the swarm."""
    return iter(())


def textfiles(env: Environment, host: Host) -> Iterator[Textfile]:
    """Containers of the node; managers also know services, tasks and nodes."""
    if host.name in {node.name for node in nodes(env)}:
        words = ("manager",) if host.name in {manager.name for manager in managers(env)} else ()
        yield Textfile("swarm", "roles.swarm.host.metrics", SECONDS, words)
