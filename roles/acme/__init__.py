"""ACME: a public certificate for every edge host, ordered and renewed by ops hosts without a run."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Public certificate")
def acme() -> None:
    """Every edge host shows the public certificate; edge hosts can take it before ops hosts order it."""
    converge("acme", daemons_first=True)
