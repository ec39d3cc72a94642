"""The backup and restore of RabbitMQ: its definitions. They cover the cluster, and any node has them all."""

from typing import Any

from nexus.environment.environment import Environment, Host
from roles.backup.store import Store
from roles.rabbitmq.users import ADMIN


def config(env: Environment, host: Host) -> dict[str, Any]:
    """How the program reaches the node, and whether this host is the one that saves."""
    return {
        "port": int(env.setting.rabbitmq_management_port),
        "user": ADMIN,
        "passwords": env.secrets.accepted("rabbitmq/admin"),
        "is_coordinator": host.name == env.group("rabbitmq")[0].name,
    }


BACKUP = Store(config=config, title="RabbitMQ")
