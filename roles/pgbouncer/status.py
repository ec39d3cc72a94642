"""Where the pooler shows its certificate; the postgresql role has its rows, since it asks both at once."""

from nexus.environment.environment import Environment, Host
from roles.certificate.door import Door, door


def doors(env: Environment, host: Host) -> list[Door]:
    """The pooler."""
    port = host.setting.pgbouncer_port
    return [door(host, "pgbouncer", port, asks_first=True)] if "postgresql" in host.groups else []
