"""The manifest of a role on a host: what is recorded as planned there, and whether we made it.

What we made and no longer want is removed; what was there before us is never removed. Pure functions.
"""

from collections.abc import Iterable

from nexus.plan.comparison import Answer, Differences, Step
from nexus.plan.desired import Desired
from nexus.plan.item import KINDS

Manifest = dict[str, dict[str, bool]]  # {kind: {name: whether it is ours}}


def compare(found: Differences, role: str, plan: Desired, answer: Answer) -> None:
    """First of all record what a role is about to make; last of all remove what it made and no longer wants."""
    named = records(plan, answer)
    recorded = answer["manifest"].get(role, {})
    if any(set(names) - set(recorded.get(kind, {})) for kind, names in named.items()):
        found.steps.insert(0, {"do": "record", "role": role, "manifest": named})
        if not found.changes:
            found.add(f"manifest of {role}", "does not list everything that is planned")
    obsolete = [
        (kind, name)
        for kind, entries in recorded.items()
        for name, ours in entries.items()
        if ours and name not in named.get(kind, ())
    ]
    for kind, name in obsolete:
        found.add(f"{KINDS[kind].kind if kind in KINDS else kind} {name}", "no longer planned, removed")
    if obsolete:
        found.steps.append(forget(role, recorded, named))


def records(plan: Desired, answer: Answer) -> Manifest:
    """The manifest of a role that was never on this host before."""
    found: Manifest = {}
    for item in plan.everything:
        if (ours := item.ours(item.present(answer))) is not None:
            found.setdefault(item.plural, {})[item.key] = ours
    return found


def forget(role: str, recorded: Iterable[str], named: Manifest, anyway: Iterable[str] = ()) -> Step:
    """Remove what a role made on a host and no longer wants, for the kinds that are `recorded` there.

    For the kinds in `anyway`, also remove what was there before us.
    """
    known = sorted((KINDS[kind] for kind in recorded if kind in KINDS), key=lambda kind: kind.place, reverse=True)
    kinds = [[kind.plural, kind.answering().host_code(apply=True)] for kind in known]
    return {"do": "forget", "role": role, "manifest": named, "kinds": kinds, "anyway": list(anyway)}
