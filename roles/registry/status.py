"""The port where the registry shows its certificate."""

from nexus.environment.environment import Environment, Host
from roles.certificate.door import Door, door
from roles.registry.plan import registry_host


def doors(env: Environment, host: Host) -> list[Door]:
    """The registry, on the one host that holds it."""
    return [door(host, "registry", host.setting.registry_port)] if host == registry_host(env) else []
