"""The port where the relay shows the host's certificate."""

from nexus.environment.environment import Environment, Host
from roles.certificate.door import Door, door


def doors(env: Environment, host: Host) -> list[Door]:
    """On every host."""
    return [door(host, "metrics", host.setting.exporter_port)]
