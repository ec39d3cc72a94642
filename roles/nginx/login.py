"""Login at the edge: which service checks the tokens of requests, and how it is asked."""

from dataclasses import dataclass

from nexus.environment.environment import Environment
from nexus.environment.settings import Settings
from nexus.error import OperatorError, nearest


@dataclass(frozen=True)
class Login:
    """The check of a token."""

    service: str
    path: str
    handshake: str  # the value of its header; empty where the service wants none


def login(env: Environment, setting: Settings) -> Login:
    """The check that the settings ask for; OperatorError for a service that this environment lacks."""
    name, services = setting.nginx_auth_service, env.catalogue.services
    if name not in services:
        raise OperatorError(
            f'nginx_auth_service is "{name}", which is not a service of {env.name}{nearest(name, services)}: '
            "name one that checks tokens, or set nginx_auth_request to False"
        )
    return Login(name, setting.nginx_auth_path, env.catalogue.handshake.value if services[name].handshake else "")
