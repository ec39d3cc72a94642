"""Who connects to Nginx."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import SELF, WORLD, Flow, flow


def flows(env: Environment) -> Iterator[Flow]:
    """Clients of the platform."""
    yield flow(env, WORLD, "edge", "nginx_https_port", "clients")
    yield flow(env, WORLD, "edge", "nginx_http_port", "redirects to HTTPS, challenges of certificates")
    yield flow(env, SELF, "edge", "nginx_status_port", "the state of its workers")
