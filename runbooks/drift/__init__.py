"""Drift: how hosts differ from the plan, since when, and which run touched them last. Changes nothing."""

from collections.abc import Callable

from pyinfra.context import host

from nexus.error import OperatorError
from nexus.run.run import Run, current_run
from runbooks.drift.report import write

__all__ = ["drift"]


def drift(report: Callable[[Run], int] = write) -> None:
    """Ask the current host. Once all hosts have answered, `report` is called in place of a converge.

    It returns the exit status; usually it writes the drift report.
    """
    run = current_run()
    run.report = report
    try:
        run.hosts.answer(host.name)
    except OperatorError as error:
        run.outcome.note("drift", str(error))
