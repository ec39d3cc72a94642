"""The port where Nginx shows its certificate, which is one of ours or a public one."""

from nexus.environment.environment import Environment, Host
from roles.certificate.door import Door, door
from roles.certificate.plan import LEAF


def doors(env: Environment, host: Host) -> list[Door]:
    """The HTTPS port of an edge host."""
    if "edge" not in host.groups:
        return []
    shown, port = str(host.setting.nginx_certificate), host.setting.nginx_https_port
    return [door(host, "nginx", port) if shown == LEAF else Door("nginx", host.address, int(port), shown)]
