"""Prometheus: metrics of every host and daemon, and the alerts about them, on each ops host."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Prometheus")
def prometheus() -> None:
    """Prometheus runs with the planned targets and rules."""
    converge("prometheus")
