"""State of a program that is not a file. The role has the host-side code of each state, which is probed by name."""

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
    `probe` in `source` returns the same shape: `source` is a Python file of the role that runs on the
    host with only the standard library (see nexus/agent/). Items contain credentials only as
    hashes; what the host-side code needs to log in goes into `context`, which is never shown. A probe can give
    an item a "note": a line that every run shows, without a change; "told": the same for drift that an administrator
    should undo; an "obstacle": something that a run must not undo, such as a pause that somebody ordered, with
    the command that ends it: the run is refused before any change; and "how": the difference in the probe's own words.
    "unfinished" is a line that each run that changes hosts shows, whatever it is about.
    The file's imports are sent with it, see nexus/plan/sent.py: with a probe, only its top-level imports.
    `payload` is what only `apply` needs (contents of secrets): it is not sent with a probe.

    `observed` says that the state is probed and never applied, such as health. A reviewed plan does not contain it.

    `implied` says that its items follow from the role's files, such as which files a daemon has in force: a difference
    is reported only if no file differs.

    `before_units` applies the state before the role's units start, since it decides how they may start.

    `extra` says what to do with items that the host has and the plan lacks: "keep" them silently,
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
        """The host-side code, as sent with a probe or with a step that applies it."""
        return sent.code(self.source, apply)

    @classmethod
    def steps(cls, requests: Sequence[Step], found: Differences) -> Sequence[Step]:
        """A step for each state. systemd rereads unit files first: what a state starts must run with the new ones."""
        return [*Unit.reread(found), *requests]

    def order(self) -> Place:
        return Place.BEFORE_UNITS if self.before_units else self.place

    def question(self) -> Mapping[type[Item], Sequence[str]]:
        """Nothing: states are not part of any kind's probe."""
        return {}

    def present(self, answer: Answer) -> Any:
        return answer["states"].get(self.name, {"items": {}})

    def compare(self, found: Differences, seen: Seen) -> Step | None:
        if self.observed and self.name not in seen.answer["states"]:
            return None  # it is probed when its role's turn comes
        reply = self.present(seen.answer)
        if "error" in reply and self.items:  # nothing is known of it, so all of it is applied again
            found.add(f"state of {self.name}", f"could not be probed: {reply['error']}")
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
        """Note how an item differs; returns whether it must be applied."""
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
