"""Types for the order and comparison of items and its results, as plain data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import Any

Answer = Mapping[str, Any]  # the result of agent.probe.probe
Mark = Callable[[str], str]  # turns a secret text into a mark that reveals nothing of it
Pair = tuple[str, str]  # (before, after) in words; "" for absent
Step = dict[str, Any]  # a request to the agent


class Place(IntEnum):
    """The place of a kind in the order in which a role's items are made; they are removed in reverse order."""

    PACKAGES = auto()
    GROUPS = auto()
    USERS = auto()
    DIRECTORIES = auto()
    FILES = auto()
    LINKS = auto()
    ABSENT = auto()
    BEFORE_UNITS = auto()
    UNITS = auto()
    STATES = auto()  # for a role with daemons: after these run on all hosts


@dataclass(frozen=True)
class Change:
    """One difference between plan and host: `what` names the item, `how` the way it differs."""

    what: str
    how: str

    def __str__(self) -> str:
        return f"{self.what}: {self.how}"


@dataclass
class Differences:
    """Changes for people to read and steps for the agent to carry out, in order."""

    changes: list[Change] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # findings that are left as they are
    told: list[Change] = field(default_factory=list)  # drift that only an operator can undo
    files: list[Any] = field(default_factory=list)  # File items whose content or properties differ, for --diff
    unit_files: bool = False  # whether the steps so far write unit files that systemd has not read yet

    def add(self, what: str, how: str) -> None:
        self.changes.append(Change(what, how))


@dataclass(frozen=True)
class Seen:
    """What items are compared with: the host's answer, and {path: digest} of the files that all its roles plan."""

    answer: Answer
    planned: Mapping[str, str] = field(default_factory=dict)
