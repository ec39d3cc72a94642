"""What the forwarder has sent, on disk: where it continues and what it counted. All programs of the host read it."""

import json
from collections import Counter
from typing import Any

from nexus.agent.file import read_json, write_atomic

FILE = "sent.json"


class Sent:
    """The state in a directory. It is written after the log store has taken the lines, so none is skipped."""

    def __init__(self, directory: str) -> None:
        self.path = f"{directory}/{FILE}"
        found = read(directory)
        self.cursor: str = found.get("cursor", "")
        self.sequence: list[Any] = found.get("sequence", ["", 0])  # name of the journal's numbering, and a number
        self.lost: int = found.get("lost", 0)
        self.lines: Counter[str] = Counter(found.get("lines", {}))  # "SERVICE LEVEL": how many

    def save(self) -> None:
        """Write it to disk."""
        names = ("cursor", "sequence", "lost", "lines")
        write_atomic(self.path, json.dumps({name: getattr(self, name) for name in names}).encode(), 0o644)


def read(directory: str) -> dict[str, Any]:
    """The state on disk; empty before the first lines were sent."""
    return read_json(f"{directory}/{FILE}")
