"""The platform's services: one stack in the swarm, converged from one manager."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Services")
def service() -> None:
    """All services of the catalogue run as planned; start-up phases wait for each other's health."""
    converge("service")
