"""Base: what every host has before it becomes anything."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge, converge_packages, forget_roles


@deploy("Base")
def base() -> None:
    """Packages of all roles in one go, then the base system; what no longer concerns the host goes."""
    converge_packages()
    forget_roles()
    converge("base")
