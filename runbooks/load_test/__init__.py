"""Load test: requests at the rates of operations.yaml to the edge hosts of an environment, and what came of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import click
from pyinfra.api.deploy import deploy

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import Act, act
from nexus.run.side_by_side import reached
from runbooks.load_test.load import Load
from runbooks.load_test.phase import Phase, phases
from runbooks.load_test.report import missed, write
from runbooks.load_test.result import Result
from runbooks.load_test.table import as_text


@deploy("Load test")
def load_test(edge: str = "", confirm: str = "") -> None:
    """Send the load, phase by phase, then compare with the objectives; the run fails if one is missed."""
    act("Load test", partial(plan, edge=edge, confirm=confirm))


def plan(run: Run, edge: str = "", confirm: str = "") -> Sequence[Act]:
    """An act for each phase, and one that compares. Refused before anything is sent if the load is not allowed."""
    env = run.environment
    wanted = phases(env)
    edges = _edges(run, edge)
    if not run.dry:
        _confirmed(env, confirm, wanted)
    load = Load(env, edges)
    load.check()
    test = _Test(load)
    names = ", ".join(each.name for each in edges)
    acts = [Act(f"Send {names} the load {phase}", partial(test.send, phase)) for phase in wanted]
    return [*acts, Act("Compare the answers with the objectives", test.compare)]


@dataclass
class _Test:
    """The results so far."""

    load: Load
    results: list[Result] = field(default_factory=list)

    def send(self, phase: Phase) -> None:
        """One phase; OperatorError if it had to end early, with a report of what was measured."""
        found = self.load.send(phase)
        self.results.append(found)
        if found.stopped:
            click.echo(self._report())
            raise OperatorError(
                f"{phase.name} ended early: {found.failed} of {len(found.requests)} requests failed: "
                f"{found.reasons()}. Look at `pyinfra inventory deploys/status.py` before the next load test"
            )

    def compare(self) -> None:
        """Print and write everything; OperatorError if an objective is missed."""
        click.echo(self._report())
        if lines := missed(self.load.env, self.results):
            raise OperatorError("\n".join(["objectives were missed:", *lines]))

    def _report(self) -> str:
        path = write(self.load, self.results)
        return f"{as_text(self.results)}\n{path}"


def _edges(run: Run, name: str) -> list[Host]:
    """The edge hosts that get requests; OperatorError for a host that is not one, or if none is reached."""
    env, found = run.environment, reached(run, "edge")
    if name:
        known = [host.name for host in env.group("edge")]
        if name not in known:
            raise OperatorError(f"edge={name}: {name} is not an edge host of {env.name}: choose {' or '.join(known)}")
        found = [each for each in found if each == name]
    if not found:
        where = name or f"an edge host of {env.name}"
        raise OperatorError(f"this run does not reach {where}, so nothing was sent: drop --limit, or start the host")
    return [env.host(each) for each in found]


def _confirmed(env: Environment, confirm: str, wanted: Sequence[Phase]) -> None:
    """OperatorError unless an environment with users is named."""
    if env.setting.load_test_asks and confirm != env.name:
        loads = "; ".join(map(str, wanted))
        given = f"confirm={confirm} is not its name" if confirm else "users would feel this load"
        raise OperatorError(
            f"{env.name}: {given}: {loads}. Add --data confirm={env.name} to send it, or set load_test_asks = False in "
            f"group_data/{env.name}.py if it has no users"
        )
