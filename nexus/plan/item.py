"""One thing that a role wants on a host: what every kind of item has in common.

A kind is a class here and a file on hosts, see docs/adding-a-kind.md. Pure functions: they see data, never a host.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from nexus import project
from nexus.plan import sent
from nexus.plan.comparison import Answer, Differences, Mark, Pair, Place, Seen, Step

KINDS: dict[str, type[Item]] = {}  # every kind that was imported, by its name in the plural


@dataclass(frozen=True)
class Item:
    """Base of all kinds. The first field of a kind is the key that tells its items apart, such as a path."""

    kind: ClassVar[str]
    plural: ClassVar[str]
    place: ClassVar[Place]
    removable: ClassVar[bool]

    def __init_subclass__(
        cls, place: Place = Place.FILES, removable: bool = False, kind: str = "", plural: str = ""
    ) -> None:
        """`kind` and `plural` name it to people and to the agent; else the name of the class does.

        `removable`: hosts record its items in the manifest of their role, and remove what we made once it is no longer
        planned.
        """
        cls.place, cls.removable = place, removable
        cls.kind = kind or cls.__name__.lower()
        cls.plural = plural or f"{cls.kind}s"
        KINDS[cls.plural] = cls

    @classmethod
    def answering(cls) -> type[Item]:
        """The kind whose host-side file looks for these items and removes them; its own, unless kinds share one."""
        return cls

    @classmethod
    def host_code(cls, apply: bool = False) -> dict[str, Any]:
        """Its host-side file as it is sent with a probe, or with a step; roles/X/host/NAME.py of roles/X/NAME.py."""
        package, _, name = cls.__module__.rpartition(".")
        folder = "nexus.agent.kinds" if package == "nexus.plan.kinds" else f"{package}.host"
        return sent.code(project.source(f"{folder}.{name}"), apply)

    @classmethod
    def steps(cls, requests: Sequence[Step], found: Differences) -> Sequence[Step]:
        """What the agent does for items of the kind, by their requests."""
        return [{"do": "items", "kind": cls.plural, **cls.host_code(apply=True), "items": list(requests)}]

    @property
    def key(self) -> str:
        return str(getattr(self, fields(self)[0].name))

    @property
    def title(self) -> str:
        """The item as changes name it, such as "file /etc/hosts"."""
        return f"{self.kind} {self.key}"

    def order(self) -> Place:
        """Its place; that of its kind unless the item says otherwise."""
        return self.place

    def ours(self, present: Any) -> bool | None:
        """Whether we make what will be there, as the manifest records it; None where it does not name the item."""
        return present is None if self.removable else None

    def question(self) -> Mapping[type[Item], Iterable[str]]:
        """What is asked of which kind's probe to compare the item."""
        return {self.answering(): [self.key]}

    def present(self, answer: Answer) -> Any:
        """What the probe answered for it; None where it is not there."""
        return answer[self.answering().plural].get(self.key)

    def words(self, present: Any) -> Pair:
        """(as it is, as it should be) in words, the same for the same state, with nothing secret in them."""
        return "" if present is None else "there", "there"

    def difference(self, present: Any) -> str | None:
        """How it differs from what is present, in words; None where it does not."""
        before, after = self.words(present)
        if before == after:
            return None
        return f"{before} -> {after}" if before else "is missing"

    def request(self, present: Any) -> Step:
        """What the host-side step is told of it."""
        return asdict(self)

    def compare(self, found: Differences, seen: Seen) -> Step | None:
        """Note how it differs; its request, None where nothing has to be done."""
        present = self.present(seen.answer)
        how = self.difference(present)
        if how is None:
            return None
        found.add(self.title, how)
        return self.request(present)

    def described(self, seen: Seen, mark: Mark) -> Iterator[tuple[str, Pair]]:
        """(title, words) for saved plans and drift; `mark` is for kinds that hold secrets."""
        yield self.title, self.words(self.present(seen.answer))

    def obstacles(self, answer: Answer, host: str) -> Iterator[str]:
        """What is in its way on the host and is never undone unasked, with what to do; the run is refused by it."""
        yield from ()
