"""Docker: the engine of the hosts that run containers, its log-in at the registry, and its housekeeping."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Docker")
def docker() -> None:
    """Engine installed, configured as planned, and running with that configuration."""
    converge("docker", in_turn=True)  # managers of the swarm: never two of them down at once
