"""Who connects to the registry of images."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import Flow, flow
from roles.registry.plan import registry_host


def flows(env: Environment) -> Iterator[Flow]:
    """Every engine pulls images, the host that builds them pushes."""
    if host := registry_host(env):
        for group in ("app", "edge", "ops"):
            yield flow(env, group, "ops", "registry_port", "images", (host.name,))
