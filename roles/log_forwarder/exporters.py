"""Metrics of the log forwarder, from what it has sent."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import Exporter, Textfile
from roles.log_forwarder.plan import DIRECTORY
from roles.log_store.plan import server

SECONDS = 60


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """None: the forwarder listens on no port."""
    return iter(())


def textfiles(env: Environment, host: Host) -> Iterator[Textfile]:
    """How far it is behind, lost lines, and lines by service and level."""
    if server(env):
        yield Textfile("log_forwarder", "roles.log_forwarder.host.metrics", SECONDS, (DIRECTORY,))
