"""The slice, by the library: what benchmarks/peers say in their own words."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Slice")
def slice_of_state() -> None:
    """Everything of the slice in one operation."""
    converge("slice")


slice_of_state()
