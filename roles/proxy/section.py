"""What a store's role contributes to the proxy: `sections(env)` in roles/STORE/proxy.py returns these."""

from typing import NamedTuple

from nexus.environment.environment import Environment, Host
from roles.certificate.plan import CA


class Section(NamedTuple):
    """A `listen` section: its name, the port on the host's side, and the lines within, without indent.

    A store's port is a setting STORE_proxy_port: if there is one, services connect to the proxy.
    """

    name: str
    port: int
    text: str


def interval(env: Environment) -> str:
    """The interval of checks and the number of answers that decide, as options of a server line."""
    usual = int(env.setting.proxy_check_milliseconds)
    return f"inter {usual}ms fastinter {usual // 4}ms downinter {usual // 2}ms fall 2 rise 1"


def tls(host: Host) -> str:
    """TLS options of a check, which verifies the internal CA and the host's own name."""
    return f"check-ssl verify required ca-file {CA} verifyhost {host.name}"
