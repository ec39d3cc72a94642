"""PgBouncer: few connections of the server, shared by all replicas of the services."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("PgBouncer")
def pgbouncer() -> None:
    """A pooler in front of every PostgreSQL server; one after the other where it has to restart."""
    converge("pgbouncer", in_turn=True)
