"""What each kind of resource answers: how it is read, made, changed and removed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nexus.provider.aws.model import PART, Call, Found, Item, Ref, World, tag_list

IN_VPC = "vpc"  # everything in our VPC, also of others
TAGGED = "tag"  # what has the environment's tag
KEYED = "key"  # what has the tag of any environment: an instance that has ended is in no VPC any more


@dataclass(frozen=True)
class Question:
    """One describe call of EC2: its operation, and what it asks for: IN_VPC, TAGGED or KEYED.
    `found(answer)` yields (id, tags, facts, its own name)."""

    operation: str
    by: str
    found: Callable[[Mapping[str, Any]], Iterator[tuple[str, dict[str, str], dict[str, Any], str]]]


@dataclass(frozen=True)
class Kind:
    """A kind of resource. `create` and `change` yield calls; `remove` yields those that remove it.

    `question` is empty for kinds that are read in another way (reading.py).
    """

    name: str
    create: Callable[[Item, World], Iterator[Call]]
    change: Callable[[Item, Found, World], Iterator[Call]]
    remove: Callable[[Found], Iterator[Call]]
    question: Question | None = None
    tagged: bool = field(default=True)  # whether its tags are kept as planned by ec2.create_tags


def no_change(item: Item, found: Found, world: World) -> Iterator[Call]:
    """Yield nothing: such a resource has nothing that could be changed."""
    return iter(())


def tags_call(item: Item, found: Found) -> Iterator[Call]:
    """Yield the call that sets the tags that differ from the plan."""
    changed = {key: value for key, value in item.tags.items() if found.tags.get(key) != value}
    if changed:
        said = ", ".join(f"{key.removeprefix('nexus-cos:')} {value}" for key, value in changed.items())
        words = f"Tag {item.ref}: {said}"
        yield Call("ec2", "create_tags", {"Resources": [item.ref], "Tags": tag_list(changed)}, words)


def removal(operation: str, parameter: str, found: Found, words: str = "") -> Call:
    """Return the call that deletes a resource of EC2 by its id."""
    said = words or f"Delete {found.ref} ({found.id})"
    return Call("ec2", operation, {parameter: found.id}, said, gone_is_done=True)


def part(tags: Mapping[str, str]) -> str:
    """Return the name that a resource of ours has by its tags; empty if it has none."""
    return tags.get(PART, "")


VPC = Ref("vpc", "")
