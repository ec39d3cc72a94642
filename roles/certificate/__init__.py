"""Certificate: the internal CA, and on every host a leaf that it renews by itself."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from roles.kit.converge import converge


@deploy("Certificate")
def certificate() -> None:
    """Install the CA, this host's leaf of now and those that follow it, and what switches to them."""
    converge("certificate")
