"""Object storage: an S3-compatible server for environments that have none of their own."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import begin, converge


@deploy("Object storage")
def storage() -> None:
    """The server runs, and the environment's bucket is there and keeps what is overwritten."""
    converge("storage")


@deploy("Object storage")
def begin_storage() -> None:
    """The same, begun: `storage` waits for its end."""
    begin("storage")
