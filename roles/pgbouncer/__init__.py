"""PgBouncer: few connections of the server, shared by all replicas of the services."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from roles.kit.converge import converge


@deploy("PgBouncer")
def pgbouncer() -> None:
    """A pooler in front of every PostgreSQL server; one after the other where it has to restart."""
    converge("pgbouncer", in_turn=True)
