"""RabbitMQ: message broker of the services that declare it."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("RabbitMQ")
def rabbitmq() -> None:
    """Make all hosts of the group one cluster, with virtual hosts and users of the catalogue's services.

    No node joins while a member restarts: the joining node would then hold tables that the others wait for.
    """
    converge("rabbitmq", in_turn=True, daemons_first=True)
