"""Keepalived: one address that the edge hosts share; one of them answers at it while its Nginx does."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Keepalived")
def keepalived() -> None:
    """Each edge host takes the shared address when the one that holds it is gone, or its Nginx is."""
    converge("keepalived")
