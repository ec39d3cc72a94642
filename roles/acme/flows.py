"""Who connects to the port where edge hosts take the certificate."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import SELF, Flow, flow
from roles.acme.settings import enabled


def flows(env: Environment) -> Iterator[Flow]:
    """Ops hosts, once the role is on. What they send to authorities is not limited."""
    if enabled(env):
        yield flow(env, "ops", "edge", "acme_port", "deliveries of the public certificate")
    else:
        yield flow(env, SELF, "edge", "acme_port", "deliveries of certificates, where acme_directories is set")
