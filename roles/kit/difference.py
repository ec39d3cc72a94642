"""What differs between a plan and what a probe found, and the steps that make the difference go away.

Pure functions: they see data, never a host.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from roles.kit import item
from roles.kit.item import Answer, Differences
from roles.kit.model import Desired
from roles.kit.unit import compare_units, drop_in, reads, unit_difference

__all__ = [
    "DAEMONS",
    "POSTPONED",
    "STATES",
    "WHOLE",
    "Answer",
    "Differences",
    "compare",
    "complete",
    "drop_in",
    "question",
    "records",
    "unit_difference",
]


WHOLE, DAEMONS, STATES = "", "daemons", "states"  # of a role
POSTPONED = "postponed"  # its daemons once more, after its states: a restart that was refused before them


def complete(desired: Desired) -> Desired:
    """The plan with what the kit itself adds: a stamping drop-in for every unit that reads our files."""
    extra = tuple(drop_in(unit) for unit in desired.units if reads(unit))
    return Desired(**{**desired.__dict__, "files": (*desired.files, *extra)})


def question(plans: Iterable[Desired], observed: bool = True) -> dict[str, Any]:
    """What to ask a host so that all these plans can be compared with it; `observed` states are asked as well, or not.

    Roles share code: each text is sent once, among `texts`, and stands for itself by its place there.
    """
    texts: dict[str, int] = {}

    def place(text: str) -> int:
        return texts.setdefault(text, len(texts))

    paths: dict[str, None] = {}
    packages: set[str] = set()
    units: list[str] = []
    users: set[str] = set()
    groups: set[str] = set()
    states: dict[str, Any] = {}
    for plan in plans:
        paths.update(dict.fromkeys(entry.path for entry in (*plan.early, *plan.files)))
        paths.update(dict.fromkeys(entry.path for entry in plan.directories))
        paths.update(dict.fromkeys(entry.path for entry in plan.links))
        paths.update(dict.fromkeys(plan.absent))
        for unit in plan.units:
            paths.update(dict.fromkeys(reads(unit)))
            units.append(unit.name)
        packages.update(plan.packages)
        users.update(user.name for user in plan.users)
        groups.update(group.name for group in plan.groups)
        for state in plan.states:
            if state.observed and not observed:
                continue
            code = state.code()
            states[state.name] = {
                "source": place(code["source"]),
                "libraries": [[name, place(text)] for name, text in code["libraries"]],
                "names": list(state.items),
                "context": dict(state.context),
            }
    return {
        "do": "probe",
        "paths": list(paths),
        "packages": sorted(packages),
        "units": list(dict.fromkeys(units)),
        "users": sorted(users),
        "groups": sorted(groups),
        "states": states,
        "texts": list(texts),
        "checks": {},
    }


def compare(
    role: str, plan: Desired, answer: Answer, planned: Mapping[str, str], part: str = WHOLE
) -> Differences:
    """Differences of one role on one host, or of one part of it: its daemons and all they read, or its states.

    What is refused of the daemons alone is put off: once the states are as planned it may well be possible.
    `planned` maps path to the digest that some role of this host wants there: a unit that reads a
    file which another role is about to change is judged by the file as it will be.
    """
    found = Differences()
    if part != STATES:
        _compare_daemons(found, plan, answer, planned)
    if part not in (DAEMONS, POSTPONED):
        for state in plan.states:
            if not state.before_units:
                item.compare_state(found, state, answer)
    if part != STATES:
        _compare_manifest(found, role, plan, answer)
    if part == DAEMONS:
        found.steps = [{**step, "put_off": True} if step["do"] == "units" else step for step in found.steps]
    return found


def _compare_daemons(found: Differences, plan: Desired, answer: Answer, planned: Mapping[str, str]) -> None:
    item.compare_early(found, plan.early, answer)
    item.compare_packages(found, plan.packages, answer)
    item.compare_accounts(found, plan, answer)
    changed = item.compare_files(found, plan, answer)
    for state in plan.states:
        if state.before_units:
            item.compare_state(found, state, answer)
    compare_units(found, plan.units, answer, planned, changed)


def _compare_manifest(found: Differences, role: str, plan: Desired, answer: Answer) -> None:
    manifest = records(plan)
    recorded = answer["manifest"].get(role, {})
    known = {kind: set(recorded.get(kind, {})) for kind in manifest}
    if any(set(names) - known[kind] for kind, names in manifest.items()):
        found.steps.insert(0, {"do": "record", "role": role, "manifest": manifest})
        if not found.changes:
            found.add(f"manifest of {role}", "does not name all that is planned")
    if obsolete := _obsolete(recorded, manifest):
        for kind, name in obsolete:
            found.add(f"{kind.rstrip('s')} {name}", "no longer planned, removed")
        found.steps.append({"do": "forget", "role": role, "manifest": manifest})


def records(plan: Desired) -> dict[str, list[str]]:
    """What the manifest of a role on a host names, by kind."""
    return {
        "files": [entry.path for entry in (*plan.early, *plan.files)],
        "directories": [entry.path for entry in plan.directories],
        "links": [entry.path for entry in plan.links],
        "units": [unit.name for unit in plan.units if not unit.masked],
        "users": [user.name for user in plan.users],
        "groups": [group.name for group in plan.groups],
    }


def _obsolete(recorded: Mapping[str, Any], manifest: Mapping[str, list[str]]) -> list[tuple[str, str]]:
    return [
        (kind, name)
        for kind, entries in recorded.items()
        for name, ours in entries.items()
        if ours and name not in manifest.get(kind, [])
    ]
