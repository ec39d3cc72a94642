"""MongoDB: document store of the services that declare it, from its vendor's repository."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("MongoDB")
def mongodb() -> None:
    """Make all hosts of the group one replica set, with users of the catalogue's services."""
    converge("mongodb", in_turn=True)
