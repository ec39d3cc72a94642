"""etcd: the small store with a quorum in which Patroni keeps who is primary."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from roles.kit.converge import converge
from roles.kit.run import Run

from .join import knowledge
from .plan import leader


@deploy("etcd")
def etcd() -> None:
    """Every host of the group is a member of one cluster.

    Two operations: the first host makes the cluster where there is none, and takes out what is no member
    any more; then the others join it.
    """
    leads = host.name == leader(Run.current.environment).name
    if leads:
        converge("etcd", late=knowledge, in_turn=True)
    if not leads:
        converge("etcd", late=knowledge, in_turn=True)
