"""Handoff: the documents of the platform and the bundles, from the plan and from one observation of its hosts."""

from functools import partial

from pyinfra.api.deploy import deploy

from nexus import project
from nexus.run.run import Run
from nexus.run.runbook import Report, report
from runbooks.handoff import observation
from runbooks.handoff.commit import commit
from runbooks.handoff.handoff import Handoff


@deploy("Handoff")
def handoff(allow_drift: bool = False) -> None:
    """Observe all hosts, and make pages and bundles. The run fails where plan and hosts differ, unless allowed."""
    report("Handoff", partial(read, allow_drift=allow_drift))


def read(run: Run, allow_drift: bool = False) -> Report:
    """Take and store the observation, then make everything from it."""
    from runbooks.handoff.build import build  # its library takes a moment to import

    env = run.environment
    seen = observation.take(run)
    stored = observation.store(env, seen)
    made = build(Handoff.of(env, commit(), seen, allow_drift))
    return Report(f"{stored.relative_to(project.root())}: observed {seen['at']}\n{made}")
