"""State of a program that is not a file. Its role brings the host-side code of each, which is asked by its own name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nexus.plan import properties, sent
from nexus.plan.comparison import Answer, Change, Differences, Mark, Pair, Place, Seen, Step
from nexus.plan.item import Item
from nexus.plan.kinds.unit import Unit


@dataclass(frozen=True)
class State(Item, place=Place.STATES):
    """State of a program that is not a file: databases, users of a broker, a swarm, an image store.

    `items` maps the name of an item ("database auth_service") to its properties as plain JSON data.
    The same shape comes back from `probe` in `source`, a Python file of the role that runs on the
    host with the standard library alone (see nexus/agent/). Credentials appear in items as
    hashes only; what the host-side code needs to log in goes into `context`, which is never shown. A probe can give
    an item a "note": a line that every run says of it, without a change; "told": the same for what an administrator
    should undo, which is drift; an "obstacle": what a run must not undo, such as a pause that somebody ordered, with
    the command that ends it, and a run is refused by it before any change; and "how": what differs, in its own words.
    What that file imports is sent with it, see nexus/plan/sent.py: with a probe only what it imports at its top level.
    `payload` is what only `apply` needs (contents of secrets): it does not travel with a probe.

    `observed` says that it is asked and never laid down: health. It is no part of what a reviewed plan holds.

    `implied` says that its items follow from the role's files, as which of them a daemon has in force: that they differ
    is told only where no file does.

    `before_units` lays it down before the role's units are started: what decides how they may start.

    `extra` says what becomes of items that the host has and the plan lacks: "keep" them silently,
    "report" them in the output, or "remove" them.
    """

    name: str
    source: Path
    items: Mapping[str, Mapping[str, Any]]
    context: Mapping[str, Any] = field(default_factory=dict, repr=False)
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False)
    extra: Literal["keep", "report", "remove"] = "keep"
    before_units: bool = False
    observed: bool = False
    implied: bool = False

    def code(self, apply: bool = False) -> dict[str, Any]:
        """The host-side code as it is sent with a probe, or with a step that applies it."""
        return sent.code(self.source, apply)

    @classmethod
    def steps(cls, requests: Sequence[Step], found: Differences) -> Sequence[Step]:
        """A step for each state; what they start is to run with the unit files that were written before."""
        return [*Unit.reread(found), *requests]

    def order(self) -> Place:
        return Place.BEFORE_UNITS if self.before_units else self.place

    def question(self) -> Mapping[type[Item], Sequence[str]]:
        """Nothing of any kind's probe."""
        return {}

    def present(self, answer: Answer) -> Any:
        return answer["states"].get(self.name, {"items": {}})

    def compare(self, found: Differences, seen: Seen) -> Step | None:
        if self.observed and self.name not in seen.answer["states"]:
            return None  # it is asked when its role's turn comes
        reply = self.present(seen.answer)
        if "error" in reply and self.items:  # nothing is known of it, so all of it is laid down again
            found.add(f"state of {self.name}", f"could not be asked: {reply['error']}")
        changed = [name for name in self.items if self._changed(found, name, reply)]
        extra = [name for name in reply["items"] if name not in self.items] if self.extra != "keep" else []
        removed = extra if self.extra == "remove" else []
        for name in extra:
            if removed:
                found.add(name, "no longer planned, removed")
            else:
                found.notes.append(f"{name}: no longer planned, kept (remove it with --data prune_data=true)")
        return self._step(changed, removed) if changed or removed else None

    def _changed(self, found: Differences, name: str, reply: Mapping[str, Any]) -> bool:
        """Note how an item differs; whether it has to be applied."""
        wanted, present = self.items[name], reply["items"].get(name)
        if present is None:
            if "error" not in reply:
                found.add(name, "is missing")
            return True
        if present.get("note"):
            found.notes.append(f"{name}: {present['note']}")
        if present.get("obstacle"):
            found.add(name, present["obstacle"])
            return False
        if present.get("told"):
            found.told.append(Change(name, present["told"]))
        different = [key for key, value in wanted.items() if present.get(key) != value]
        if different:
            found.add(name, present.get("how") or properties.differences(different, present, wanted))
        return bool(different)

    def _step(self, changed: list[str], removed: list[str]) -> Step:
        return {
            "do": "state",
            "kind": self.plural,
            "name": self.name,
            **self.code(apply=True),
            "items": {name: dict(values) for name, values in self.items.items()},
            "changed": changed,
            "removed": removed,
            "context": dict(self.context),
            "payload": dict(self.payload),
        }

    def described(self, seen: Seen, mark: Mark) -> Iterator[tuple[str, Pair]]:
        reply = self.present(seen.answer)
        for name, wanted in self.items.items() if not self.observed else ():
            before = properties.words(wanted, reply["items"].get(name), mark)
            yield name, ("not known" if "error" in reply else before, properties.words(wanted, wanted, mark))
        if self.extra == "remove" and not self.observed:
            for name in reply["items"].keys() - self.items.keys():
                yield name, ("there", "")
