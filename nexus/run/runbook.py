"""Runbooks: deploys that act or report instead of converging roles.

A runbook asks the hosts for their state, refuses what is not possible, prints its acts in order, and then carries
them out one by one. `--dry` stops after printing them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.operation import operation
from pyinfra.context import host, state

from nexus import console
from nexus.error import OperatorError
from nexus.plan.desired import Change
from nexus.pyinfra_patches import identity
from nexus.run.host_action import carry_out, watch
from nexus.run.host_state import executing
from nexus.run.run import Run, current_run
from nexus.transport.progress import progress

__all__ = ["Act", "Plan", "Report", "act", "carry_out", "is_coordinator", "report", "watch"]


@dataclass(frozen=True)
class Act:
    """One thing that a runbook does: `what` in the imperative ("Promote data2"), and the function `do`.

    `do` may ask and change any host of the run (`carry_out`, `watch`). If it raises OperatorError, the acts after it
    are not carried out. `host` is the host that the act concerns; empty if there is no single one.
    """

    what: str
    do: Callable[[], None]
    host: str = ""


Plan = Callable[[Run], Sequence[Act]]


def act(title: str, plan: Plan) -> None:
    """Carry out the acts that `plan(run)` returns, once a run, for any number of hosts.

    `plan` only asks and changes nothing: it is called when the run is prepared, and again when it is carried out.
    It raises OperatorError if the acts are not possible, and returns none if there is nothing to do.
    """
    run = current_run()
    if is_coordinator(host.name):
        _act(title, plan, run, name=title)


def is_coordinator(name: str) -> bool:
    """Return True for the one host that a runbook runs for: the first that the run is connected to."""
    return bool(name == next(iter(state.inventory.iter_activated_hosts())).name)


@operation()
def _act(title: str, plan: Plan, run: Run) -> Iterator[PyinfraCommand]:
    acts = list(plan(run))
    if not executing():
        run.outcome.proposed += len(acts)
        for number, each in enumerate(acts, 1):
            console.say(f"    would {number}/{len(acts)}: {each.what}")
    if not acts:
        console.say(f"    {title}: nothing to do")
    else:
        yield _Acts(title, acts)


class _Acts(PyinfraCommand):
    """All acts of a runbook as one command."""

    def __init__(self, title: str, acts: Sequence[Act]) -> None:
        super().__init__()
        self.title, self.acts = title, acts

    def __repr__(self) -> str:
        return f"Acts({self.title})"

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """Carry out the acts in order. Return False after printing the error if one fails."""
        run = current_run()
        run.environment.secrets.save()  # a secret must be saved before anything uses it
        run.outcome.acting = True
        for number, each in enumerate(self.acts, 1):
            began = time.monotonic()
            console.say(f"    {number}/{len(self.acts)}: {each.what}")
            try:
                with progress.step(each.host or host.name, f"{number}/{len(self.acts)} {each.what}"):
                    each.do()
            except OperatorError as error:
                self._tell(number, error)
                return False
            finally:
                run.hosts.drop(each.host or host.name, cluster=True)
            run.outcome.changes[each.host or host.name].append(Change(each.what, f"{time.monotonic() - began:.1f} s"))
        return True

    def _tell(self, number: int, error: OperatorError) -> None:
        console.complain(f"    {number}/{len(self.acts)} failed: {self.acts[number - 1].what}\n{error}")
        for left in self.acts[number:]:
            console.complain(f"    not done: {left.what}")


@dataclass(frozen=True)
class Report:
    """The text for standard output, and a line for each missed target that says what to do."""

    text: str
    missed: tuple[str, ...] = ()


def report(title: str, read: Callable[[Run], Report]) -> None:
    """Print the report that `read(run)` returns. If a target is missed, the run's exit status is not 0."""
    if is_coordinator(host.name):
        current_run().reading.add(identity(_report(read, name=title)))


@operation()
def _report(read: Callable[[Run], Report]) -> Iterator[PyinfraCommand]:
    if executing():
        yield _Print(read(current_run()))
    else:
        yield _Print(Report(""))


class _Print(PyinfraCommand):
    """The report as a command, so that it can fail."""

    def __init__(self, found: Report) -> None:
        super().__init__()
        self.found = found

    def __repr__(self) -> str:
        return "Report"

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """Print the report. Return True if no target is missed."""
        current_run().outcome.missed = len(self.found.missed)
        click.echo(self.found.text)
        for line in self.found.missed:
            click.secho(f"missed: {line}", fg="red", err=True)
        return not self.found.missed
