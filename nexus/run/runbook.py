"""Runbooks: deploys that act or report, where roles converge.

A runbook asks the hosts what there is, refuses what cannot be, says in order what it is going to do, and then
does it step by step. `--dry` ends after the saying, as it does for every other deploy.
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
    """One thing that a runbook does: `what` in the imperative ("Promote data2"), and how.

    `do` may ask and change any host of the run (`carry_out`, `watch`); it raises OperatorError when it could
    not be done, and the acts after it are then left undone. `host` is the host that it is about, if one.
    """

    what: str
    do: Callable[[], None]
    host: str = ""


Plan = Callable[[Run], Sequence[Act]]


def act(title: str, plan: Plan) -> None:
    """Carry out what `plan(run)` returns, once a run and whichever hosts it is about.

    `plan` asks and never changes anything: it is called when the run is prepared and again when it is carried
    out. It raises OperatorError for what cannot be done; no acts mean that there is nothing to do.
    """
    run = current_run()
    if is_coordinator(host.name):
        _act(title, plan, run, name=title)


def is_coordinator(name: str) -> bool:
    """Whether this is the one host that a runbook runs for: the first that the run is connected to."""
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
        """True when every act was done; else it was said which was not, and why."""
        run = current_run()
        run.environment.secrets.save()  # nothing may run with a secret that nobody keeps
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
    """What is printed on standard output, and each target that is missed with what to do about it."""

    text: str
    missed: tuple[str, ...] = ()


def report(title: str, read: Callable[[Run], Report]) -> None:
    """Print what `read(run)` tells; the run ends with a status other than 0 when a target is missed."""
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
        """True when no target is missed."""
        current_run().outcome.missed = len(self.found.missed)
        click.echo(self.found.text)
        for line in self.found.missed:
            click.secho(f"missed: {line}", fg="red", err=True)
        return not self.found.missed
