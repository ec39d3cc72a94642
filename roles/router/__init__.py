"""Router: HAProxy between Nginx and the services, the only published port of the swarm."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Router")
def router() -> None:
    """Lay down the router's configuration, close its port to other hosts, reload it where it runs."""
    converge("router")
