"""Certificate: the internal CA, and a leaf on every host, which the host renews without a run."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Certificate")
def certificate() -> None:
    """Install the CA, this host's present leaf, the leaves that follow it, and the program that switches to them."""
    converge("certificate")
