"""Converge: make the differences between a role's plan and the host go away.

One operation per role. All differences are computed and shown before the first command, so a dry
run shows what a run would do; and a run that finds none sends nothing at all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pyinfra.api.command import PyinfraCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from roles.kit import difference
from roles.kit.announce import show, title
from roles.kit.difference import DAEMONS, POSTPONED, STATES, WHOLE, Differences
from roles.kit.model import Change, Desired
from roles.kit.progress import progress
from roles.kit.run import Run
from roles.kit.transport import Awaited, Begun, Step
from roles.kit.unit import restarts_in_service
from roles.plans import DATA

Late = Callable[[Run, str], Mapping[str, Any]]
PACKAGES, LEFTOVERS = "packages", "leftovers"  # what is done for all roles of a host at once


def converge(role: str, late: Late | None = None, in_turn: bool = False, daemons_first: bool = False) -> None:
    """Bring the current host to the role's plan, if the role concerns it.

    `in_turn` restarts what already runs on one host after the other, for daemons whose hosts stand in
    for each other; not what runs only because its package has started it.

    `daemons_first` makes three operations of it: the role's states, as who is a member of a cluster, are not
    touched before its daemons run on all hosts, as they are to run. A daemon that must not be restarted because a
    member is missing is restarted in the end, when another one may have taken that one's place.

    `late(run, host name)` completes the context of the role's states with what can only be known
    when the step is carried out, such as the join token of a cluster that does not exist yet.
    """
    run = Run.current
    if role not in run.roles(host.name):
        return
    run.prepare(host.name, role)  # all hosts are asked side by side, before anything is done
    run.planned[host.name].add(role)
    if not _settled(run):
        parts = {DAEMONS: f"Converge daemons of {role}", STATES: f"Converge {role}"}
        parts[POSTPONED] = f"Restart what had to wait in {role}"
        for part, name in (parts if daemons_first else {WHOLE: f"Converge {role}"}).items():
            run.journaled.add(_converge(role, late, in_turn, part, name=name)._hash)


def begin(role: str) -> None:
    """Begin what the role changes on the current host and let the run go on beside it.

    For long work of one host that no other waits for yet, such as the build of images while stores come up.
    `converge` of the same role waits for its end, and has to follow in the same run.
    """
    run = Run.current
    if role not in run.roles(host.name):
        return
    run.prepare(host.name, role)
    if not _settled(run):
        run.journaled.add(_begin(role, name=f"Begin {role}")._hash)


def layer(what: str) -> None:
    """Nothing below begins on any host before all above has ended on every host.

    pyinfra keeps the order of operations for each host; between hosts an operation that they all have does.
    """
    if not _settled(Run.current):
        Run.current.journaled.add(_layer(what, name=f"Before the {what}")._hash)


def converge_packages() -> None:
    """Install the packages of all roles of the current host in one go."""
    Run.current.planned[host.name].add(PACKAGES)
    if not _settled(Run.current):
        Run.current.journaled.add(_converge_packages(name="Install packages")._hash)


def forget_roles(stores: bool = False) -> None:
    """Remove what roles that no longer concern the current host left on it, those of stores apart: they go last."""
    Run.current.planned[host.name].add(LEFTOVERS)
    if not _settled(Run.current):
        what = f"Remove {'stores that are' if stores else 'what is'} no longer planned"
        Run.current.journaled.add(_forget_roles(stores, name=what)._hash)


def _settled(run: Run) -> bool:
    """Whether nothing is to be done anywhere; a host that gives no answer is told of here, not when it is changed."""
    run.answer(host.name)
    return run.settled()


@operation()
def _converge(role: str, late: Late | None, in_turn: bool, part: str) -> Iterator[PyinfraCommand]:
    run, name = Run.current, host.name
    if (name, role) in run.under_way:
        begun, changes = run.under_way.pop((name, role))
        if begun.steps:
            yield Awaited(begun)
            run.journal.done(begun.entries)
            run.changes[name] += changes
            run.drop(name, cluster=True)
        return
    if part == POSTPONED and not run.executing():
        return  # told of with the daemons
    found = run.compare(name, role, part=part)
    in_turn = in_turn and run.executing() and restarts_in_service(run.plan(name, role), found)
    with _turn(run, role) if in_turn else contextlib.nullcontext():
        yield from _carry_out(run, name, role, found, late)


@operation()
def _begin(role: str) -> Iterator[PyinfraCommand]:
    run, name = Run.current, host.name
    found = run.compare(name, role)
    show(run, name, role, found)
    begun = Begun([Step(title(role, step), {**step, "beside": True}, stream=True) for step in found.steps])
    run.under_way[name, role] = begun, found.changes
    if found.steps:
        if run.executing():
            run.environment.secrets.save()
            begun.entries = run.journal.begin(name, role, found.changes)
        yield begun


@operation()
def _layer(what: str) -> Iterator[PyinfraCommand]:
    yield from ()


@operation()
def _converge_packages() -> Iterator[Step]:
    run, name = Run.current, host.name
    yield from _carry_out(run, name, PACKAGES, _packages(run, name), None)


@operation()
def _forget_roles(stores: bool) -> Iterator[Step]:
    run, name = Run.current, host.name
    yield from _carry_out(run, name, LEFTOVERS, _leftovers(run, name, stores), None)


def intended(run: Run) -> dict[str, list[tuple[str, Change]]]:
    """What this run is about to change by what is known now: {host: [(role, change)]}, hosts without any left out."""
    found: dict[str, list[tuple[str, Change]]] = {}
    for name, roles in run.planned.items():
        for role in sorted(roles):
            parts = {PACKAGES: _packages, LEFTOVERS: _leftovers}
            part = parts[role](run, name) if role in parts else run.compare(name, role)
            if part.steps:
                found.setdefault(name, []).extend((role, change) for change in part.changes)
    return found


def _packages(run: Run, name: str) -> Differences:
    found = Differences()
    for role in run.roles(name):
        plan = run.plan(name, role)
        early = Desired(early=plan.early, packages=plan.packages)
        part = difference.compare(role, early, run.answer(name), {})
        recorded = [step for step in part.steps if step["do"] == "record"] if plan.early else []
        found.steps += recorded + [step for step in part.steps if step["do"] == "files"]
        found.changes += [change for change in part.changes if not change.how.startswith("no longer")]
        found.files += part.files
        found.steps += [step for step in part.steps if step["do"] == "packages"]
    wanted = sorted({name for step in found.steps for name in step.get("packages", [])})
    update = any(step.get("update") for step in found.steps)
    found.changes = [change for change in found.changes if not change.what.startswith("manifest of")]
    found.steps = [step for step in found.steps if step["do"] != "packages"]
    if wanted:
        found.steps.append({"do": "packages", "packages": wanted, "update": update})
    if not found.changes:
        found.steps.clear()
    return found


def _leftovers(run: Run, name: str, stores: bool | None = None) -> Differences:
    found = Differences()
    for role in run.abandoned(name):
        if stores is not None and (role in DATA) != stores:
            continue
        kept = f"; its data stays in {DATA[role]}" if DATA.get(role) else ""
        found.add(f"role {role}", f"no longer concerns this host, what it made is removed{kept}")
        found.steps.append({"do": "forget", "role": role, "manifest": {}, "stop": role in DATA})
    return found


@contextlib.contextmanager
def _turn(run: Run, role: str) -> Iterator[None]:
    with progress.step(host.name, f"{role}: its turn"):
        lock = run.turn(role)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _carry_out(run: Run, name: str, role: str, found: Differences, late: Late | None) -> Iterator[Step]:
    show(run, name, role, found)
    if not found.steps:
        return
    if run.executing():
        run.environment.secrets.save()  # nothing may run with a secret that nobody keeps
    extra = late(run, name) if late and run.executing() else {}
    states = False
    entries = run.journal.begin(name, role, found.changes) if run.executing() else []
    try:
        for step in found.steps:
            request = step
            if step["do"] == "state":
                states = True
                request = {**step, "context": {**step["context"], **extra}}
            yield Step(title(role, step), request, stream=step["do"] == "state" or "put_off" in step)
        run.journal.done(entries)
        run.changes[name] += found.changes
    finally:
        run.drop(name, cluster=states)
