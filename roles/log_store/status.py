"""The port where stunnel shows the host's certificate."""

from nexus.environment.environment import Environment, Host
from roles.certificate.door import Door, door
from roles.log_store.plan import server


def doors(env: Environment, host: Host) -> list[Door]:
    """On the log store."""
    return [door(host, "log store", host.setting.log_store_port)] if host == server(env) else []
