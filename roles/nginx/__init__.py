"""Nginx: the public edge. TLS, the gateway's routes, limits; the router behind it finds the service."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Nginx")
def nginx() -> None:
    """Nginx is installed, has every route of the catalogue, and runs with the configuration on disk."""
    converge("nginx")
