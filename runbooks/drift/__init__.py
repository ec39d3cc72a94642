"""Drift: how hosts differ from the plan, since when, and which run touched them last. Changes nothing."""

from pyinfra.context import host

from nexus.error import OperatorError
from nexus.run.run import current_run
from runbooks.drift.report import write


def drift() -> None:
    """Ask the current host. Once all hosts have answered, the report is written in place of a converge."""
    run = current_run()
    run.report = write
    try:
        run.hosts.answer(host.name)
    except OperatorError as error:
        run.outcome.note("drift", str(error))
