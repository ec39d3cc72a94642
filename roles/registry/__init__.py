"""Registry: the images of the environment, with TLS and a password, on the first ops host."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Registry")
def registry() -> None:
    """The registry runs with the planned configuration and accepts its login."""
    converge("registry")
