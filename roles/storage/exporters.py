"""SeaweedFS's own metrics."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import RUNTIME, Exporter
from roles.storage.plan import METRICS_PORT, server

# Times inside the server; those of S3 stay.
DROP = "SeaweedFS_(filer|master|volumeServer|wdclient).*_(bucket|updates)|SeaweedFS_s3_(lifecycle|time_to).*|" + RUNTIME


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """Volumes, disk, requests, of the group's first host."""
    if host == server(env):
        yield Exporter("storage", METRICS_PORT, drop=DROP)
