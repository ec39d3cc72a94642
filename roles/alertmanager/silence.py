"""Silence the alerts that a run causes by itself, for as long as it takes and not a moment longer."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from nexus import console
from nexus.error import OperatorError
from nexus.run.host_action import carry_out
from nexus.run.run import Run
from nexus.run.side_by_side import reached
from roles.alertmanager.plan import AFFECTED, asked

SOURCE = Path(__file__).parent / "host/silence.py"


@contextmanager
def silenced(run: Run, services: Sequence[str], why: str, seconds: float) -> Iterator[None]:
    """No alert about these services while the context is open; `seconds` bound the silence if the run dies.

    A run does not fail for want of a silence: it says so and continues.
    """
    names = "|".join(map(re.escape, services))
    with _silent(run, {"alertname": AFFECTED["service"], "service": names}, why, seconds):
        yield


@contextmanager
def silenced_host(run: Run, name: str, why: str, seconds: float, clusters: Sequence[str] = ()) -> Iterator[None]:
    """The same about a host that is down on purpose. What HostDown inhibits is silent with it.

    `clusters` are alerts that miss this host in its clusters and name other hosts or none.
    """
    with ExitStack() as stack:
        stack.enter_context(_silent(run, {"alertname": AFFECTED["host"], "host": re.escape(name)}, why, seconds))
        if clusters:
            stack.enter_context(_silent(run, {"alertname": "|".join(clusters)}, f"{why}: clusters", seconds))
        yield


@contextmanager
def _silent(run: Run, matchers: dict[str, str], why: str, seconds: float) -> Iterator[None]:
    context = {"matchers": matchers, "why": why, "seconds": seconds}
    there = _ask(run, "silence alerts", "begin", context, "this run continues, and alerts about it may come")
    try:
        yield
    finally:
        if there:
            _ask(run, "end the silence", "end", context, f"it ends by itself after {seconds:.0f} s")


def _ask(run: Run, what: str, function: str, context: dict[str, Any], without: str) -> bool:
    """Whether an Alertmanager did it; the others learn it from that one. `without` says what follows if none did."""
    for name in reached(run, "ops"):
        try:
            host = run.environment.host(name)
            carry_out(run, name, what, SOURCE, function, {**context, **asked(host)})
            return True
        except OperatorError as error:
            console.complain(f"warning: {error}: {without}")
    return False
