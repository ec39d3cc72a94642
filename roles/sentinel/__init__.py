"""Sentinel: says which Redis is primary, and promotes another one when the primary is lost."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Sentinel")
def sentinel() -> None:
    """Run a Sentinel next to every Redis; each server follows the one primary, and each Sentinel watches it.

    This comes after the role redis is done on all hosts, since a host that finds no primary asks all of them.
    """
    converge("sentinel")
