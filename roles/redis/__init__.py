"""Redis: cache and session store of the services that declare it."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Redis")
def redis() -> None:
    """Install and configure both servers and their users, each limited to its own keys."""
    converge("redis", in_turn=True)
