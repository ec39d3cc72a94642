"""Docker: the engine of the hosts that run containers, its login at the registry, and its housekeeping."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Docker")
def docker() -> None:
    """The engine is installed and runs with the planned configuration."""
    converge("docker", in_turn=True)  # so that never two managers of the swarm are down at once
