"""Acts of a runbook, said first and then done one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pyinfra import logger
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.operation import operation
from pyinfra.context import host, state

from roles.kit.error import OperatorError
from roles.kit.model import Change
from roles.kit.run import Run


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
    run = Run.current
    if speaks(host.name):
        _act(title, plan, run, name=title)


def speaks(name: str) -> bool:
    """Whether this is the one host that a runbook runs for: the first that the run is connected to."""
    return bool(name == next(iter(state.inventory.iter_activated_hosts())).name)


@operation()
def _act(title: str, plan: Plan, run: Run) -> Iterator[PyinfraCommand]:
    acts = list(plan(run))
    if not run.executing():
        run.proposed += len(acts)
        for number, each in enumerate(acts, 1):
            logger.info(f"    would {number}/{len(acts)}: {each.what}")
    if not acts:
        logger.info(f"    {title}: nothing to do")
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
        run = Run.current
        run.environment.secrets.save()  # nothing may run with a secret that nobody keeps
        run.acting = True
        for number, each in enumerate(self.acts, 1):
            began = time.monotonic()
            logger.info(f"    {number}/{len(self.acts)}: {each.what}")
            try:
                each.do()
            except OperatorError as error:
                self._tell(number, error)
                return False
            finally:
                run.drop(each.host or host.name, cluster=True)
            run.changes[each.host or host.name].append(Change(each.what, f"{time.monotonic() - began:.1f} s"))
        return True

    def _tell(self, number: int, error: OperatorError) -> None:
        logger.error(f"    {number}/{len(self.acts)} failed: {self.acts[number - 1].what}\n{error}")
        for left in self.acts[number:]:
            logger.error(f"    not done: {left.what}")
