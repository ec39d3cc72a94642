"""Metrics of the public certificate."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import Exporter, Textfile
from roles.acme.host.places import RECORD
from roles.acme.settings import enabled

SECONDS = 60


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """None: the program of ops hosts runs for a moment and has no port."""
    return iter(())


def textfiles(env: Environment, host: Host) -> Iterator[Textfile]:
    """What each ops host knows of the certificate, of orders and of edge hosts."""
    if enabled(env) and "ops" in host.groups:
        yield Textfile("acme", "roles.acme.host.metrics", SECONDS, (RECORD,))
