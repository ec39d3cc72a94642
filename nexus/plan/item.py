"""One thing that a role wants on a host: what all kinds of items have in common.

A kind is a class here and a file on hosts, see docs/adding-a-kind.md. Pure functions: they see data, never a host.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from nexus import project
from nexus.plan import sent
from nexus.plan.comparison import Answer, Differences, Mark, Pair, Place, Seen, Step

KINDS: dict[str, type[Item]] = {}  # every imported kind, by its plural name


@dataclass(frozen=True)
class Item:
    """Base of all kinds. The first field of a kind is its key, such as a path."""

    kind: ClassVar[str]
    plural: ClassVar[str]
    place: ClassVar[Place]
    removable: ClassVar[bool]

    def __init_subclass__(
        cls, place: Place = Place.FILES, removable: bool = False, kind: str = "", plural: str = ""
    ) -> None:
        """`kind` and `plural` name the kind to people and to the agent; by default the class name does.

        `removable`: hosts record its items in the role's manifest, and remove those that we made once they are no
        longer planned.
        """
        cls.place, cls.removable = place, removable
        cls.kind = kind or cls.__name__.lower()
        cls.plural = plural or f"{cls.kind}s"
        KINDS[cls.plural] = cls

    @classmethod
    def answering(cls) -> type[Item]:
        """The kind whose host-side file probes and removes these items: this kind, unless kinds share a file."""
        return cls

    @classmethod
    def host_code(cls, apply: bool = False) -> dict[str, Any]:
        """Its host-side file, as sent with a probe or a step: roles/X/host/NAME.py for roles/X/NAME.py."""
        package, _, name = cls.__module__.rpartition(".")
        folder = "nexus.agent.kinds" if package == "nexus.plan.kinds" else f"{package}.host"
        return sent.code(project.source(f"{folder}.{name}"), apply)

    @classmethod
    def steps(cls, requests: Sequence[Step], found: Differences) -> Sequence[Step]:
        """The agent's steps for items of this kind, from their requests."""
        return [{"do": "items", "kind": cls.plural, **cls.host_code(apply=True), "items": list(requests)}]

    @property
    def key(self) -> str:
        return str(getattr(self, fields(self)[0].name))

    @property
    def title(self) -> str:
        """The item as changes name it, such as "file /etc/hosts"."""
        return f"{self.kind} {self.key}"

    def order(self) -> Place:
        """Its place in the order: that of its kind, unless the item overrides it."""
        return self.place

    def ours(self, present: Any) -> bool | None:
        """Whether we make the item, as the manifest records it; None if the manifest does not list it."""
        return present is None if self.removable else None

    def question(self) -> Mapping[type[Item], Iterable[str]]:
        """{kind: keys} that must be probed to compare the item."""
        return {self.answering(): [self.key]}

    def present(self, answer: Answer) -> Any:
        """The probe's answer for the item; None if it is absent."""
        return answer[self.answering().plural].get(self.key)

    def words(self, present: Any) -> Pair:
        """(as it is, as it should be) in words without secrets; equal states have equal words."""
        return "" if present is None else "there", "there"

    def difference(self, present: Any) -> str | None:
        """How the item differs from what is present, in words; None if it does not."""
        before, after = self.words(present)
        if before == after:
            return None
        return f"{before} -> {after}" if before else "is missing"

    def request(self, present: Any) -> Step:
        """The item's request to the host-side step."""
        return asdict(self)

    def compare(self, found: Differences, seen: Seen) -> Step | None:
        """Note how the item differs. Returns its request, or None if nothing must be done."""
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
        """Obstacles on the host that a run must not remove, with what to do; the run is refused."""
        yield from ()
