"""Who connects to the log store."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import Flow, flow
from roles.log_store.plan import server


def flows(env: Environment) -> Iterator[Flow]:
    """Every host sends its journal."""
    if host := server(env):
        yield flow(env, "all", "ops", "log_store_port", "log lines", (host.name,))
