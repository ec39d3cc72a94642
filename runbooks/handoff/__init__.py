"""Handoff: the documents of the platform and the bundles, from the plan and from one observation of its hosts."""

from functools import partial

import click

from nexus import project
from nexus.run.run import Run
from runbooks.drift import drift
from runbooks.handoff import observation
from runbooks.handoff.build import build
from runbooks.handoff.commit import commit
from runbooks.handoff.handoff import Handoff


def handoff(allow_drift: bool = False) -> None:
    """Observe all hosts, and make pages and bundles. The run fails where plan and hosts differ, unless allowed."""
    drift(partial(write, allow_drift=allow_drift))


def write(run: Run, allow_drift: bool = False) -> int:
    """Take and store the observation, then make everything from it. Returns the exit status, which is 0."""
    seen = observation.take(run)
    stored = observation.store(run.environment, seen)
    click.echo(f"{stored.relative_to(project.root())}: observed at {seen['at']}")
    click.echo(str(build(Handoff.of(run.environment, commit(), seen, allow_drift))))
    return 0
