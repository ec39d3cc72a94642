"""PostgreSQL: the relational store of the services that declare it."""

from pyinfra.api.deploy import deploy
from pyinfra.context import host as here  # `host` is the folder of what runs on hosts

from nexus.run.converge import converge
from nexus.run.run import current_run


@deploy("PostgreSQL")
def postgresql() -> None:
    """Every host of the group is a member of one cluster under Patroni, with the catalogue's databases in it.

    Two operations: all members, and then once more the one that speaks for them, since what a member was
    told anew may make it wait for a restart.
    """
    converge("postgresql", in_turn=True)
    if here.name == current_run().environment.speaker("postgresql").name:
        converge("postgresql", in_turn=True)
