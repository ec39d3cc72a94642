"""Metrics of the log store."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import Exporter, Textfile
from roles.log_store.plan import DIRECTORY, MEGABYTE, server

SECONDS = 60


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """None: systemd-journal-remote shows nothing."""
    return iter(())


def textfiles(env: Environment, host: Host) -> Iterator[Textfile]:
    """Size, packing, and when the last line came."""
    if host == server(env):
        words = (DIRECTORY, str(env.setting.log_store_megabytes_max * MEGABYTE))
        yield Textfile("log_store", "roles.log_store.host.metrics", SECONDS, words)
