"""The port where Nginx shows its certificate, which is one of ours or a public one."""

from nexus.environment.environment import Environment, Host
from roles.certificate.door import Door, door
from roles.certificate.plan import automatic, shows_own


def doors(env: Environment, host: Host) -> list[Door]:
    """The HTTPS port of an edge host; role acme has its own rows where it renews what is shown there."""
    if "edge" not in host.groups or automatic(host):
        return []
    shown, port = str(host.setting.nginx_certificate), host.setting.nginx_https_port
    return [door(host, "nginx", port) if shows_own(host) else Door("nginx", host.address, int(port), shown)]
