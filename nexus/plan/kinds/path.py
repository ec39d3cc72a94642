"""The base of kinds that are at a path: they share one probe."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nexus.plan.comparison import Differences, Step
from nexus.plan.item import Item

UNIT_FILES = "/etc/systemd/system/"


@dataclass(frozen=True)
class AtPath(Item, kind="path"):
    """Something at a path; nexus/agent/kinds/path.py defines the probe's answer."""

    path: str

    @classmethod
    def answering(cls) -> type[Item]:
        return AtPath

    @classmethod
    def steps(cls, requests: Sequence[Step], found: Differences) -> Sequence[Step]:
        found.unit_files |= any(request["path"].startswith(UNIT_FILES) for request in requests)
        return super().steps(requests, found)


def shown(present: list[Any] | None) -> str:
    """What is at a path, in words; for a file, with the beginning of its digest."""
    if present is None:
        return ""
    kind, mode, owner, group, content = present[:5]
    if kind == "link":
        return f"link to {content}"
    text = f"{mode:04o} {owner}:{group}"
    return f"{text} {content[:12]}" if kind == "file" else f"{kind} {text}"
