"""RabbitMQ: message broker of the services that declare it."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("RabbitMQ")
def rabbitmq() -> None:
    """One cluster of all hosts of the group; in it virtual hosts and users of the catalogue's services.

    Nobody joins while a member restarts: the joining one would then hold tables that the others wait for.
    """
    converge("rabbitmq", in_turn=True, daemons_first=True)
