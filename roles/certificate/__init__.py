"""Certificate: the internal CA, and on every host a leaf that it renews by itself."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Certificate")
def certificate() -> None:
    """Install the CA, this host's leaf of now and those that follow it, and what switches to them."""
    converge("certificate")
