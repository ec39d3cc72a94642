"""PostgreSQL: the relational store of the services that declare it."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from roles.kit.converge import converge


@deploy("PostgreSQL")
def postgresql() -> None:
    """Install and configure the server, then make databases and log-ins of the catalogue's services."""
    converge("postgresql")
