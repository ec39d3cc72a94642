"""Backups: every host that keeps something saves it by a timer, and one of them proves that it comes back."""

from pyinfra.api.deploy import deploy

from roles.kit.converge import converge


@deploy("Backups")
def backup() -> None:
    """Timers, programs and pgBackRest's repository are as planned; a new repository gets its first backup."""
    converge("backup")
