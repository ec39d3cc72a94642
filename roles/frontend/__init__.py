"""Front ends: pages of modules and the portal, built once, on all edge hosts before any of them shows them."""

from functools import cache

import gevent
from pyinfra.api.deploy import deploy

from nexus.run.converge import converge
from nexus.run.limit import excluded
from nexus.run.run import Run, current_run
from nexus.run.side_by_side import reached
from roles.frontend.builder import build_missing

__all__ = ["build_front_ends", "frontend"]

ROLE = "frontend"


def build_front_ends() -> None:
    """Build front ends that this machine has not built yet, once a run; call it before any role is planned.

    If they cannot be built here, the run says so and continues without them.
    """
    run = current_run()
    if run.environment.setting.frontend_build and reached(run, "edge") and not excluded(run.hosts, ROLE):
        _building(run).get()


@cache
def _building(run: Run) -> gevent.Greenlet:
    """The builds of a run. Every host waits for their end: what is compared before has plans without them."""
    return gevent.spawn(build_missing, run)


@deploy("Front ends")
def frontend() -> None:
    """Every edge host has the files of all front ends; once all have them, each shows the planned release."""
    run = current_run()
    if left := excluded(run.hosts, ROLE):
        run.outcome.note(ROLE, f"front ends stay as they are, since --limit excludes {', '.join(left)}")
    else:
        converge(ROLE, daemons_first=True)
