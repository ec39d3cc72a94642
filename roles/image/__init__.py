"""Images: built by one recipe on the first ops host and pushed to the registry, once per content."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import begin, converge


@deploy("Images")
def image() -> None:
    """The registry holds the image of every service, and of the router, at the planned release."""
    converge("image")


@deploy("Images")
def begin_images() -> None:
    """Begin to build the images; `image` waits for the end."""
    begin("image")
