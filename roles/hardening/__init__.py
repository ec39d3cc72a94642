"""Hardening: what a host refuses beyond what roles need. Each measure can be taken back by its name."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Hardening")
def hardening() -> None:
    """Carry out the measures that apply to a host."""
    converge("hardening")
