"""Grafana: dashboards of the metrics on ops hosts, from its vendor's repository. Off unless `grafana_enabled`."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Grafana")
def grafana() -> None:
    """Grafana runs with the planned dashboards; others are removed."""
    converge("grafana")
