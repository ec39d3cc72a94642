"""Where MongoDB shows its certificate."""

from nexus.environment.environment import Environment, Host
from roles.certificate.door import Door, door


def doors(env: Environment, host: Host) -> list[Door]:
    """The server."""
    return [door(host, "mongodb", host.setting.mongodb_port)] if "mongodb" in host.groups else []
