"""Router: HAProxy between Nginx and the services; it has the only published ports of the swarm."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Router")
def router() -> None:
    """Write the router's configuration, close its ports to other hosts, reload it where it runs."""
    converge("router")
