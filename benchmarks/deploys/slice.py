"""The slice by our library; benchmarks/peers express the same in their own way."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Slice")
def slice_of_state() -> None:
    """The whole slice in one operation."""
    converge("slice")


slice_of_state()
