"""Exporters: the metrics of a host and its daemons, behind one port that only Prometheus may read."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Exporters")
def exporter() -> None:
    """Every exporter of the host runs, and the port answers those that show a certificate of an ops host."""
    converge("exporter")
