"""etcd: the small store with a quorum in which Patroni records the primary."""

from pyinfra.api.deploy import deploy
from pyinfra.context import host as here  # `host` is the folder of what runs on hosts

from nexus.run.converge import converge
from nexus.run.run import current_run
from roles.etcd.join import knowledge


@deploy("etcd")
def etcd() -> None:
    """Make every host of the group a member of one cluster.

    There are two operations: the first host makes the cluster if there is none, and removes former members;
    then the others join it.
    """
    leads = here.name == current_run().environment.speaker("etcd").name
    if leads:
        converge("etcd", late=knowledge, in_turn=True)
    if not leads:
        converge("etcd", late=knowledge, in_turn=True)
