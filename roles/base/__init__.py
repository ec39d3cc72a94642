"""Base: what every host has before it becomes anything."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge, converge_packages, forget_roles


@deploy("Base")
def base() -> None:
    """Install the packages of all roles at once, remove leftovers of former roles, then converge the base system."""
    converge_packages()
    forget_roles()
    converge("base")
