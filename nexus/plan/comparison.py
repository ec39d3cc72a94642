"""What items are ordered by and compared with, and what comes of it, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import Any

Answer = Mapping[str, Any]  # what agent.probe.probe returns
Mark = Callable[[str], str]  # what tells a secret text from others and gives nothing away
Pair = tuple[str, str]  # (before, after) in words; "" for what is not there
Step = dict[str, Any]  # a request to the agent


class Place(IntEnum):
    """Where a kind stands among those of a role: made in this order, removed in the opposite one."""

    PACKAGES = auto()
    GROUPS = auto()
    USERS = auto()
    DIRECTORIES = auto()
    FILES = auto()
    LINKS = auto()
    ABSENT = auto()
    BEFORE_UNITS = auto()
    UNITS = auto()
    STATES = auto()  # where a role's daemons come first: once they run on all hosts


@dataclass(frozen=True)
class Change:
    """One difference between what should be and what is: `what` names the item, `how` the way it differs."""

    what: str
    how: str

    def __str__(self) -> str:
        return f"{self.what}: {self.how}"


@dataclass
class Differences:
    """Changes for people to read and steps for the agent to carry out, in order."""

    changes: list[Change] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what was found and is left alone
    told: list[Change] = field(default_factory=list)  # drift that only a person can undo
    files: list[Any] = field(default_factory=list)  # File items whose content or properties differ, for --diff
    unit_files: bool = False  # whether the steps so far write some that systemd has not read yet

    def add(self, what: str, how: str) -> None:
        self.changes.append(Change(what, how))


@dataclass(frozen=True)
class Seen:
    """What items are compared with: the host's answer, and {path: digest} of what all its roles want there."""

    answer: Answer
    planned: Mapping[str, str] = field(default_factory=dict)
