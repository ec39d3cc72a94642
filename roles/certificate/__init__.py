"""Certificate: the internal CA and a leaf certificate on every host."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from roles.kit.converge import converge


@deploy("Certificate")
def certificate() -> None:
    """Lay down the CA and this host's leaf certificate; renewed when a new period begins."""
    converge("certificate")
