"""Nginx: the public edge. TLS, the gateway's routes, limits; the router behind it finds the service."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Nginx")
def nginx() -> None:
    """Nginx installed, with every route of the catalogue, running with the configuration on disk."""
    converge("nginx")
