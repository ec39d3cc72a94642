"""Alertmanager: it sends each alert once, to those who are responsible, from any ops host."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Alertmanager")
def alertmanager() -> None:
    """One restarts after the other: they need some seconds to learn from each other what has been sent."""
    converge("alertmanager", in_turn=True)
