"""Proxy: one address on every host that runs services, for stores whose primary moves."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Proxy")
def proxy() -> None:
    """Install HAProxy with the sections of the stores' roles; changes are reloaded in place."""
    converge("proxy")
