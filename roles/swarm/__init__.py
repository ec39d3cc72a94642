"""Swarm: the cluster over the environment's Docker engines."""

from pyinfra.api.deploy import deploy
from pyinfra.context import host as here  # `host` is the folder of what runs on hosts

from nexus.run.converge import converge
from nexus.run.run import current_run
from roles.swarm.join import estranged, invitation, leave_unknown
from roles.swarm.plan import leader


@deploy("Swarm")
def swarm() -> None:
    """Every host of the environment that runs containers is a node of one swarm.

    Three operations, because each needs the result of the one before: the first manager makes the swarm,
    the other hosts join it, the first manager configures its nodes.
    """
    run = current_run()
    leads = here.name == leader(run.environment).name
    if leads:
        converge("swarm", late=invitation)
    if not leads:
        if run.nothing_to_do() and estranged(run, here.name):
            run.mark_changed()
        if not run.nothing_to_do():
            leave_unknown(name="Leave a swarm that no longer knows this host")
        converge("swarm", late=invitation)
    if leads:
        converge("swarm")
