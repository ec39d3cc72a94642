"""The backup and restore of MongoDB, with the vendor's own tools, which find the primary themselves."""

from typing import Any

from nexus.environment.environment import Environment, Host
from roles.backup.store import Store
from roles.certificate.plan import CA
from roles.mongodb.plan import ADMIN


def config(env: Environment, host: Host) -> dict[str, Any]:
    """How the program reaches the server."""
    return {
        "address": host.address,
        "port": int(env.setting.mongodb_port),
        "ca": CA,
        "user": ADMIN,
        "password": env.secret("mongodb/admin"),
    }


BACKUP = Store(config=config, title="MongoDB")
