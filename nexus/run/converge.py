"""Converge: remove the differences between a role's plan and a host.

One operation per role. All differences are computed and shown before the first command, so a dry
run shows what a run would do. A run that finds no differences sends no commands.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from pyinfra.api.command import PyinfraCommand
from pyinfra.api.operation import OperationMeta, operation
from pyinfra.context import host

from nexus.plan.diff import DAEMONS, POSTPONED, STATES, WHOLE, Differences, restarts_in_service
from nexus.pyinfra_patches import identity
from nexus.run import failure
from nexus.run.host_state import executing
from nexus.run.host_wide import LEFTOVERS, PACKAGES, check_packages, leftovers, packages
from nexus.run.output import show, title
from nexus.run.run import Run, current_run
from nexus.transport.commands import Awaited, Begun, Step
from nexus.transport.progress import progress

Late = Callable[[Run, str], Mapping[str, Any]]
LOUD = ("states", "packages")  # steps that print what they wait for


def converge(
    role: str, late: Late | None = None, in_turn: bool = False, daemons_first: bool = False
) -> list[OperationMeta]:
    """Bring the current host to the role's plan, if the role concerns it. Return the operations that do so.

    `in_turn` restarts daemons in service one host at a time, for hosts that take over for each other. A daemon
    that runs only because its package started it does not wait for its turn.

    `daemons_first` splits the work into three operations. The first one brings the daemons of all hosts to their
    plan. The second one changes the role's states, such as the members of a cluster. The third one restarts daemons
    that had to wait because a member was missing: another one may have taken its place by then.

    `late(run, host name)` returns values that are known only when the step is carried out, such as the join token
    of a cluster that does not exist yet. They are added to the context of the role's states.
    """
    run = current_run()
    if role not in run.hosts.roles(host.name):
        return []
    run.prepare(host.name, role)  # asks all hosts in parallel, before any change
    run.planned[host.name].add(role)
    if _nothing_to_do(run):
        return []
    parts = {DAEMONS: f"Converge daemons of {role}", STATES: f"Converge {role}"}
    parts[POSTPONED] = f"Restart what had to wait in {role}"
    operations = []
    for part, name in (parts if daemons_first else {WHOLE: f"Converge {role}"}).items():
        operations.append(_converge(role, late, in_turn, part, name=name))
        run.journaled.add(identity(operations[-1]))
    return operations


def begin(role: str, late: Late | None = None) -> None:
    """Begin the role's changes on the current host and let the run continue in parallel.

    Use it for long work on one host that no other host waits for yet, such as an image build while stores start.
    The same run must call `converge` for this role later, which waits for the end of the work. `late` is as there.
    """
    run = current_run()
    if role not in run.hosts.roles(host.name):
        return
    run.prepare(host.name, role)
    if not _nothing_to_do(run):
        run.journaled.add(identity(_begin(role, late, name=f"Begin {role}")))


def layer(what: str) -> None:
    """Add a barrier: the operations above end on every host before any operation below begins.

    pyinfra orders operations only within a host. An operation that all hosts share also orders them across hosts.
    """
    if not _nothing_to_do(current_run()):
        current_run().journaled.add(identity(_layer(what, name=f"Before the {what}")))


def converge_packages() -> None:
    """Install the packages of all roles of the current host in one go."""
    current_run().planned[host.name].add(PACKAGES)
    if not _nothing_to_do(current_run()):
        check_packages(current_run(), host.name)
        current_run().journaled.add(identity(_converge_packages(name="Install packages")))


def forget_roles(stores: bool = False) -> None:
    """Remove the leftovers of roles that no longer concern the current host.

    `stores` selects the roles of stores, which are removed last. Without it, all other roles are selected.
    """
    current_run().planned[host.name].add(LEFTOVERS)
    if not _nothing_to_do(current_run()):
        what = f"Remove {'stores that are' if stores else 'what is'} no longer planned"
        current_run().journaled.add(identity(_forget_roles(stores, name=what)))


def _nothing_to_do(run: Run) -> bool:
    """Return True if no host needs a change. A host that does not answer fails here, not during its changes."""
    run.hosts.answer(host.name)
    return run.nothing_to_do()


@operation()
def _converge(role: str, late: Late | None, in_turn: bool, part: str) -> Iterator[PyinfraCommand]:
    run, name = current_run(), host.name
    if (name, role) in run.hosts.under_way:
        begun, changes = run.hosts.under_way.pop((name, role))
        if begun.steps:
            yield Awaited(begun)
            run.outcome.journal.done(begun.entries)
            run.outcome.changes[name] += changes
            run.hosts.drop(name, cluster=True)
        return
    if part == POSTPONED and not executing():
        return  # already shown with the daemons
    run.refuse_obstacles(name, role)  # one may have appeared since the run was prepared
    found = run.hosts.compare(name, role, part=part)
    in_turn = in_turn and executing() and restarts_in_service(run.hosts.plan(name, role), found)
    with _turn(run, role) if in_turn else contextlib.nullcontext():
        yield from _carry_out(run, name, role, found, late)


@operation()
def _begin(role: str, late: Late | None) -> Iterator[PyinfraCommand]:
    run, name = current_run(), host.name
    found = run.hosts.compare(name, role)
    show(run, name, role, found)
    extra = late(run, name) if late and found.steps and executing() else {}
    steps = [{**_with_context(step, extra), "parallel": True} for step in found.steps]
    begun = Begun([Step(title(role, step), step, stream=True) for step in steps])
    run.hosts.under_way[name, role] = begun, found.changes
    if found.steps:
        if executing():
            run.environment.secrets.save()
            begun.entries = run.outcome.journal.begin(name, role, found.changes)
        yield begun


@operation()
def _layer(what: str) -> Iterator[PyinfraCommand]:
    yield from ()


@operation()
def _converge_packages() -> Iterator[Step]:
    run, name = current_run(), host.name
    yield from _carry_out(run, name, PACKAGES, packages(run, name), None)


@operation()
def _forget_roles(stores: bool) -> Iterator[Step]:
    run, name = current_run(), host.name
    yield from _carry_out(run, name, LEFTOVERS, leftovers(run, name, stores), None)


@contextlib.contextmanager
def _turn(run: Run, role: str) -> Iterator[None]:
    with progress.step(host.name, f"{role}: its turn"):
        lock = run.turn(role)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _tell_others(run: Run, name: str, role: str, state: Any, said: list[str]) -> None:
    others = [other for other in run.hosts.members(role) if other != name and run.hosts.reaches(other)]
    failure.tell(state, others, role, name, said)


def _with_context(step: Mapping[str, Any], extra: Mapping[str, Any]) -> Mapping[str, Any]:
    """A step, with further values in its context if it changes a state."""
    return {**step, "context": {**step["context"], **extra}} if extra and step["do"] == "state" else step


def _carry_out(run: Run, name: str, role: str, found: Differences, late: Late | None) -> Iterator[Step]:
    show(run, name, role, found)
    if not found.steps:
        return
    if executing():
        run.environment.secrets.save()  # a secret must be saved before anything uses it
    extra = late(run, name) if late and executing() else {}
    states = False
    entries = run.outcome.journal.begin(name, role, found.changes) if executing() else []
    try:
        for step in found.steps:
            states = states or step["do"] == "state"
            request = _with_context(step, extra)
            stream = step.get("kind") in LOUD or "put_off" in step
            yield Step(title(role, step), request, stream, partial(_tell_others, run, name, role))
        run.outcome.journal.done(entries)
        run.outcome.changes[name] += found.changes
    finally:
        run.hosts.drop(name, cluster=states)
