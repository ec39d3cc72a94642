"""What a host should hold, as plain data.

A role's plan returns a `Desired`; the probe answers for everything named in it; converge makes the
difference go away. Nothing here touches a host, and nothing here knows any one role.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from roles.kit.lean import lean

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class File:
    """A regular file with this content. `secret` keeps its content out of every output."""

    path: str
    content: str | bytes = field(repr=False)
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644
    secret: bool = False

    @cached_property
    def data(self) -> bytes:
        """Content as bytes, the way it lies on the host."""
        return self.content.encode() if isinstance(self.content, str) else self.content

    @cached_property
    def sha256(self) -> str:
        """Hex digest that the probe compares with the file on the host."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Directory:
    """A directory; parents that are missing are made with mode 0755, root's."""

    path: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o755


@dataclass(frozen=True)
class Link:
    """A symbolic link at `path` that points to `target`."""

    path: str
    target: str


@dataclass(frozen=True)
class Group:
    """A system group."""

    name: str


@dataclass(frozen=True)
class User:
    """A user account: made when absent, else only its supplementary groups are added.

    `groups` are added, never taken away. `system` accounts cannot log in.
    """

    name: str
    groups: tuple[str, ...] = ()
    home: str | None = None
    shell: str = "/usr/sbin/nologin"
    system: bool = True


@dataclass(frozen=True)
class Unit:
    """A systemd unit that is enabled and runs with the configuration that lies on disk.

    `restart_on` are the files that the unit reads when it starts, `reload_on` those that it reads
    again when it is reloaded. Their content is stamped when the unit starts and when a reload was
    seen to take, so a run that died between a write and a restart is finished by the next one.

    `reload_check` is a shell command run before a reload or restart (a syntax check such as
    `nginx -t`), `restart_check` one before a restart alone (whether the others can do without it): when
    it fails the unit is left as it runs and the run fails with its output.
    `ready_check` is a shell command that succeeds once the unit does its work; after a start it is
    repeated for up to a minute, since systemd calls some units active before they answer.
    """

    name: str
    restart_on: tuple[str, ...] = ()
    reload_on: tuple[str, ...] = ()
    reload_check: str | None = None
    restart_check: str | None = None
    ready_check: str | None = None
    enabled: bool = True
    running: bool = True
    masked: bool = False


@dataclass(frozen=True)
class State:
    """State of a program that is not a file: databases, users of a broker, a swarm, an image store.

    `items` maps the name of an item ("database auth_service") to its properties as plain JSON data.
    The same shape comes back from `probe` in `source`, a Python file of the role that runs on the
    host with the standard library alone (see roles/kit/agent.py). Credentials appear in items as
    hashes only; what the host-side code needs to log in goes into `context`, which is never shown. A probe can give
    an item a "note": a line that every run says of it, without a change.
    `libraries` are modules of the project that this code imports; they are sent with it, and with a step alone
    those that `apply` imports and a probe has no use for, `apply_libraries`.
    `payload` is what only `apply` needs (contents of secrets): it does not travel with a probe.

    `observed` says that it is asked and never laid down: health. It is no part of what a reviewed plan holds.

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
    timeout_seconds: int = 300
    libraries: tuple[str, ...] = ()
    apply_libraries: tuple[str, ...] = ()
    before_units: bool = False
    observed: bool = False

    def code(self, apply: bool = False) -> dict[str, Any]:
        """The host-side code as it is sent with a probe, or with a step that applies it."""
        return code(self.source, (*self.libraries, *(self.apply_libraries if apply else ())))


def code(source: Path, libraries: Iterable[str] = ()) -> dict[str, Any]:
    """A role's host-side code with the modules of the project that it imports, as it is sent."""
    texts = [[name, lean(ROOT.joinpath(*name.split(".")).with_suffix(".py"))] for name in libraries]
    return {"source": lean(source), "libraries": texts}


@dataclass(frozen=True)
class Desired:
    """All that one role wants of one host, in the order in which it is laid down.

    early files -> packages -> groups, users -> directories, files, links, absent paths ->
    states before units -> units -> states.
    """

    early: tuple[File, ...] = ()  # before the packages: repositories, answers to package scripts
    packages: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    users: tuple[User, ...] = ()
    directories: tuple[Directory, ...] = ()
    files: tuple[File, ...] = ()
    links: tuple[Link, ...] = ()
    absent: tuple[str, ...] = ()  # paths of a package's defaults that must not be there
    units: tuple[Unit, ...] = ()
    states: tuple[State, ...] = ()


@dataclass(frozen=True)
class Change:
    """One difference between what should be and what is: `what` names the item, `how` the way it differs."""

    what: str
    how: str

    def __str__(self) -> str:
        return f"{self.what}: {self.how}"
