"""PostgreSQL: the relational store of the services that declare it."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from roles.kit.converge import converge
from roles.kit.run import Run

from .plan import speaker


@deploy("PostgreSQL")
def postgresql() -> None:
    """Every host of the group is a member of one cluster under Patroni, with the catalogue's databases in it.

    Two operations: all members, and then once more the one that speaks for them, since what a member was
    told anew may make it wait for a restart.
    """
    converge("postgresql", in_turn=True)
    if host.name == speaker(Run.current.environment).name:
        converge("postgresql", in_turn=True)
