"""Drift: how hosts differ from the plan, since when, and which run touched them last. Changes nothing."""

from __future__ import annotations

from pyinfra.context import host

from roles.kit.error import OperatorError
from roles.kit.run import Run

from .report import write


def drift() -> None:
    """Ask the current host; once all were asked the report is written instead of a run."""
    run = Run.current
    run.report = write
    try:
        run.answer(host.name)
    except OperatorError as error:
        run.note("drift", str(error))
