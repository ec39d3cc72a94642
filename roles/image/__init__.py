"""Images: built by one recipe on the first ops host and laid into the registry, once per content."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import begin, converge


@deploy("Images")
def image() -> None:
    """The registry holds the image of every service, and of the router, at the planned release."""
    converge("image")


@deploy("Images")
def begin_images() -> None:
    """The same, begun: `image` waits for its end."""
    begin("image")
