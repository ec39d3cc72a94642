"""The differences between a plan and a probe's answer, and the steps that remove them.

Pure functions: they see data, never a host.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from nexus.plan import manifest
from nexus.plan.comparison import Answer, Differences, Mark, Pair, Place, Seen
from nexus.plan.desired import Desired
from nexus.plan.item import Item
from nexus.plan.kinds.package import Package
from nexus.plan.kinds.unit import Unit

__all__ = [
    "DAEMONS", "POSTPONED", "STATES", "WHOLE", "Answer", "Differences",
    "compare", "complete", "described", "question", "restarts_in_service",
]  # fmt: skip

WHOLE, DAEMONS, STATES = "", "daemons", "states"  # of a role
POSTPONED = "postponed"  # its daemons again, after its states: restarts that were refused before


def complete(desired: Desired) -> Desired:
    """The plan plus what the library itself adds: a stamping drop-in for every unit that reads our files."""
    extra = tuple(unit.drop_in() for unit in desired.units if unit.reads)
    return replace(desired, files=(*desired.files, *extra))


def question(plans: Iterable[Desired], observed: bool = True) -> dict[str, Any]:
    """The probe of a host for all these plans; `observed` tells whether it includes observed states.

    Kinds and roles share code: each text is sent once, in `texts`, and is referred to by its index there.
    """
    texts: dict[str, int] = {}
    names: dict[type[Item], dict[str, None]] = {Package: {}}  # always: packages that dpkg has not finished
    states: dict[str, Any] = {}

    def placed(code: Mapping[str, Any]) -> dict[str, Any]:
        libraries = [[name, texts.setdefault(text, len(texts))] for name, text in code["libraries"]]
        return {"source": texts.setdefault(code["source"], len(texts)), "libraries": libraries}

    for plan in plans:
        for item in plan.everything:
            for kind, keys in item.question().items():
                names.setdefault(kind, {}).update(dict.fromkeys(keys))
        for state in plan.states:
            if observed or not state.observed:
                about = {"names": list(state.items), "context": dict(state.context)}
                states[state.name] = {**placed(state.code()), **about}
    kinds = {kind.plural: {**placed(kind.host_code()), "names": list(keys)} for kind, keys in names.items()}
    return {"do": "probe", "kinds": kinds, "states": states, "texts": list(texts), "checks": {}}


def compare(role: str, plan: Desired, answer: Answer, planned: Mapping[str, str], part: str = WHOLE) -> Differences:
    """Differences of one role on one host, or of one part of it: its daemons and all they read, or its states.

    If only the daemons are compared, a refused restart is postponed: it may be possible once the states are as planned.
    `planned` maps a path to the digest that some role of this host wants there: if a unit reads a file that another
    role is about to change, the future content counts.
    """
    found, seen = Differences(), Seen(answer, planned)
    for batch in plan.batches:
        if part == WHOLE or (part == STATES) == (batch[0].order() == Place.STATES):
            requests = [request for item in batch if (request := item.compare(found, seen)) is not None]
            found.steps += batch[0].steps(requests, found) if requests else []
    found.steps += Unit.reread(found)
    if part != STATES:
        manifest.compare(found, role, plan, answer)
    if part == DAEMONS:
        found.steps = [{**step, "put_off": True} if step.get("kind") == Unit.plural else step for step in found.steps]
    _leave_implied(found, plan)
    return found


def _leave_implied(found: Differences, plan: Desired) -> None:
    """Do not report changes that follow from reported changes of the role's files; they are made all the same."""
    told = [file for file in found.files if not file.implied]
    if not told:
        return
    implied = {file.title for file in found.files if file.implied}
    implied |= {name for state in plan.states if state.implied for name in state.items}
    found.changes = [change for change in found.changes if change.what not in implied]
    found.files = told


def described(plan: Desired, answer: Answer, planned: Mapping[str, str], mark: Mark) -> dict[str, Pair]:
    """{item as changes name it: (before, after)} of all items of a role on a host, changed or not."""
    seen = Seen(answer, planned)
    return {title: pair for item in plan.everything for title, pair in item.described(seen, mark)}


def restarts_in_service(plan: Desired, found: Differences) -> bool:
    """Whether a daemon that is in service will be restarted.

    If no file of the role exists yet, the daemon was never in service: only its package has started it.
    """
    missing = {change.what for change in found.changes if change.how == "is missing"}
    files = {file.title for file in plan.files}
    if files and files <= missing:
        return False
    return any(change.how.startswith(("restart", "runs with an older")) for change in found.changes)
