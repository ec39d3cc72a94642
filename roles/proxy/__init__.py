"""Proxy: one address on every host that runs services, for stores whose primary moves."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Proxy")
def proxy() -> None:
    """Lay down HAProxy and what the stores' roles want of it; reloaded in place."""
    converge("proxy")
