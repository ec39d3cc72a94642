"""The log forwarder: each host sends its journal to the log store."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Log forwarder")
def log_forwarder() -> None:
    """Lines of the host's journal arrive at the log store."""
    converge("log_forwarder")
