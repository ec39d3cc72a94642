"""PostgreSQL: the relational store of the services that declare it."""

from pyinfra.api.deploy import deploy
from pyinfra.context import host as here  # `host` is the folder of what runs on hosts

from nexus.run.converge import converge
from nexus.run.run import current_run


@deploy("PostgreSQL")
def postgresql() -> None:
    """Make every host of the group a member of one cluster under Patroni, with the catalogue's databases in it.

    There are two operations: all members, then the speaker once more, because a member may wait for a restart
    after it got new settings.
    """
    converge("postgresql", in_turn=True)
    if here.name == current_run().environment.speaker("postgresql").name:
        converge("postgresql", in_turn=True)
