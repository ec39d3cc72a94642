"""The words of this provider: what is wanted, what is there, and calls that lead from one to the other.

A resource is known by its kind and its name, both chosen by us, as a `Ref`. Ids of the cloud appear only in what was
found and at the moment of a call, so that a list of calls can be written before anything exists.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nexus.error import OperatorError

ENVIRONMENT, PART = "nexus-cos:environment", "nexus-cos:part"  # tags that make a resource ours, and name it


class AwsError(OperatorError):
    """The cloud, or what it has, does not fit what was asked for."""


@dataclass(frozen=True, order=True)
class Ref:
    """A resource by kind and name; in a call it stands for its id."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


@dataclass(frozen=True)
class Text:
    """A text with ids in it: its parts in order."""

    parts: tuple[str | Ref, ...]


@dataclass(frozen=True)
class Wait:
    """A question that is repeated after a call until `path` in its answer is `value`. `gone`: an error "NotFound" will
    do as well."""

    operation: str
    parameters: Mapping[str, Any]
    path: tuple[str | int, ...]
    value: str
    seconds: int = 300
    gone: bool = False


@dataclass(frozen=True)
class Call:
    """One call that changes something: `words` say what, in the imperative.

    `gives`: the resource whose id is at `path` in the answer; `more` are further ones. `gone_is_done`: an error
    "NotFound" means success.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    words: str
    gives: Ref | None = None
    path: tuple[str | int, ...] = ()
    more: tuple[tuple[Ref, tuple[str | int, ...]], ...] = ()
    wait: Wait | None = None
    gone_is_done: bool = False


@dataclass(frozen=True)
class Item:
    """A resource that is wanted. `facts` are those of its kind; resources in them are Refs."""

    ref: Ref
    facts: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """A resource that is there, with its id; `facts` as of an Item, with ids in place of Refs that are not known."""

    ref: Ref
    id: str
    facts: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass
class World:
    """What is there: resources of this environment, `foreign` ones next to them as "kind id (name)", and generations
    of hosts whose instances are gone."""

    found: dict[Ref, Found] = field(default_factory=dict)
    foreign: list[str] = field(default_factory=list)
    generations: dict[str, int] = field(default_factory=dict)

    @property
    def known(self) -> dict[Ref, str]:
        """Return {resource: its id}."""
        return {ref: each.id for ref, each in self.found.items()}

    def of(self, kind: str) -> dict[str, Found]:
        """Return {name: resource} of one kind."""
        return {ref.name: each for ref, each in self.found.items() if ref.kind == kind}


def resolved(value: Any, known: Mapping[Ref, str]) -> Any:
    """Return parameters with ids in place of Refs; AwsError for one that is not known."""
    if isinstance(value, Ref):
        if value not in known:
            raise AwsError(f"{value} does not exist, and a call needs it: run deploys/provision.py again")
        return known[value]
    if isinstance(value, Text):
        return "".join(resolved(part, known) for part in value.parts)
    if isinstance(value, Mapping):
        return {name: resolved(each, known) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(each, known) for each in value]
    return value


def at(answer: Any, path: tuple[str | int, ...]) -> Any:
    """Return the value at a path in an answer; None if there is none."""
    for step in path:
        try:
            answer = answer[step]
        except (KeyError, IndexError, TypeError):
            return None
    return answer


def tags_of(answer: Mapping[str, Any], name: str = "Tags") -> dict[str, str]:
    """Return the tags in an answer as {key: value}."""
    return {tag["Key"]: tag["Value"] for tag in answer.get(name) or ()}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as calls take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def specification(resource_type: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return tags for the call that creates a resource, so that nothing of ours is without them for a moment."""
    return [{"ResourceType": resource_type, "Tags": tag_list(tags)}]
