"""Front ends: pages of modules and the portal, built once, on all edge hosts before any of them shows them."""

from pyinfra.api.deploy import deploy
from pyinfra.context import host as here

from nexus.run.converge import converge
from nexus.run.run import current_run
from roles.frontend.builder import build_missing

__all__ = ["build_front_ends", "frontend"]


def build_front_ends() -> None:
    """Build front ends that this machine has not built yet; call it before any role is planned.

    If they cannot be built here, the run says so and continues without them.
    """
    run = current_run()
    edges = [edge.name for edge in run.environment.group("edge")]
    if edges[:1] == [here.name] and run.environment.setting.frontend_build:
        build_missing(run)


@deploy("Front ends")
def frontend() -> None:
    """Every edge host has the files of all front ends; once all have them, each shows the planned release."""
    run = current_run()
    left = [edge.name for edge in run.environment.group("edge") if not run.hosts.reaches(edge.name)]
    left = [name for name in left if name not in run.hosts.left_out]
    if left:
        run.outcome.note("frontend", f"front ends stay as they are: this run does not reach {', '.join(left)}")
    else:
        converge("frontend", daemons_first=True)
