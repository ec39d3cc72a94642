"""Which hosts tell each other that they hold the shared address."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import VRRP, Flow
from roles.keepalived.plan import shared_address


def flows(env: Environment) -> Iterator[Flow]:
    """Signs of life between edge hosts."""
    if shared_address(env):
        yield Flow("edge", "edge", VRRP, "who holds the shared address", protocol="vrrp")
