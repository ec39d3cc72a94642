"""The metrics of updates."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import Exporter, Textfile
from roles.apt.plan import in_order


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """None of its own."""
    yield from ()


def textfiles(env: Environment, host: Host) -> Iterator[Textfile]:
    """Updates that wait, and the age of the lists that name them."""
    timers = "on" if host.setting.apt_security_updates else "off"
    yield Textfile("updates", "roles.apt.host.metrics", 3600, (timers, *in_order()))
