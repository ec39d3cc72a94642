"""Sentinel: says which Redis is primary, and makes another one primary when that is lost."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Sentinel")
def sentinel() -> None:
    """A Sentinel beside every Redis; then each server follows the one primary and each Sentinel watches it.

    Comes after the role redis has been through on all hosts: a host that finds no primary asks all of them.
    """
    converge("sentinel")
