"""MongoDB: document store of the services that declare it, from its vendor's repository."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("MongoDB")
def mongodb() -> None:
    """One replica set of all hosts of the group; in it users of the catalogue's services."""
    converge("mongodb", in_turn=True)
