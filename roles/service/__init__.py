"""The platform's services: one stack in the swarm, converged from one manager."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Services")
def service() -> None:
    """All services of the catalogue run as planned; each start-up phase waits for the health of the earlier ones."""
    converge("service")
