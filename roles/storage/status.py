"""The port where object storage shows its certificate."""

from nexus.environment.environment import Environment, Host
from roles.certificate.door import Door, door
from roles.storage.plan import server


def doors(env: Environment, host: Host) -> list[Door]:
    """The server, where it runs here."""
    return [door(host, "storage", host.setting.storage_port)] if host == server(env) else []
