"""A regular file with its content."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from nexus.plan.comparison import Answer, Differences, Mark, Pair, Place, Seen, Step
from nexus.plan.kinds.path import AtPath, shown


@dataclass(frozen=True)
class File(AtPath, place=Place.FILES, removable=True):
    """A regular file with this content. `secret` keeps its content out of every output.

    `implied` says that it follows from other files of the role, such as a stamp of them: a difference is reported only
    if those files do not differ.
    """

    content: str | bytes = field(repr=False)
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644
    secret: bool = False
    implied: bool = False

    @cached_property
    def data(self) -> bytes:
        """Content as bytes, as on the host."""
        return self.content.encode() if isinstance(self.content, str) else self.content

    @cached_property
    def sha256(self) -> str:
        """Hex digest that the probe compares with the file on the host."""
        return hashlib.sha256(self.data).hexdigest()

    def difference(self, present: Any) -> str | None:
        if present is None:
            return "is missing"
        kind, mode, owner, group, content = present[:5]
        if kind != "file":
            return f"is a {kind}, should be a file"
        parts = []
        if content != self.sha256:
            parts.append("content differs")
        if mode != self.mode:
            parts.append(f"mode {mode:04o} -> {self.mode:04o}")
        if (owner, group) != (self.owner, self.group):
            parts.append(f"owner {owner}:{group} -> {self.owner}:{self.group}")
        return ", ".join(parts) or None

    def compare(self, found: Differences, seen: Seen) -> Step | None:
        request = super().compare(found, seen)
        if request:
            found.files.append(self)
        return request

    def request(self, present: Any) -> Step:
        values = {name: getattr(self, name) for name in ("path", "owner", "group", "mode")}
        return {**values, "data": base64.b64encode(self.data).decode()}

    def described(self, seen: Seen, mark: Mark) -> Iterator[tuple[str, Pair]]:
        pair = (self.present(seen.answer), ["file", self.mode, self.owner, self.group, self.sha256])
        before, after = (self._hidden(state, mark) if self.secret else shown(state) for state in pair)
        yield self.title, (before, after)

    def _hidden(self, state: Any, mark: Mark) -> str:
        if state is None or state[0] != "file":
            return shown(state)
        return f"{state[1]:04o} {state[2]}:{state[3]} secret {mark(state[4])}"

    def obstacles(self, answer: Answer, host: str) -> Iterator[str]:
        found = self.present(answer)
        if found and found[0] == "directory":
            yield f"{self.path} is a directory but should be a file: move it away, then rerun"
