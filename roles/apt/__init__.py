"""apt: which packages a host updates by itself, and what of that waits for deploys/update.py."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("apt")
def apt() -> None:
    """apt's timers, unattended-upgrades and needrestart are as planned."""
    converge("apt")
