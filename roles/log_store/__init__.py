"""The log store: journals of all hosts, on the first ops host, and their archive in object storage."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Log store")
def log_store() -> None:
    """The log store takes lines of hosts with a certificate, and packs what is old."""
    converge("log_store")
