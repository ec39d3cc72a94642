"""Object storage: an S3-compatible server for environments without a bucket elsewhere."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import begin, converge


@deploy("Object storage")
def storage() -> None:
    """The server runs, and the environment's buckets exist and keep overwritten objects."""
    converge("storage")


@deploy("Object storage")
def begin_storage() -> None:
    """Begin to install the server; `storage` waits for the end."""
    begin("storage")
