"""Images: built by one recipe on the first ops host and pushed to the registry, once per content."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import begin, converge
from roles.image.held import bring_back


@deploy("Images")
def image() -> None:
    """The registry holds the image of every service, and of the router, at the planned release."""
    converge("image", late=bring_back)


@deploy("Images")
def begin_images() -> None:
    """Begin to build the images; `image` waits for the end."""
    begin("image", late=bring_back)
