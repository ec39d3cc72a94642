"""What a run remembers of the last run, so that it need not ask hosts twice: traits of hosts, digests of images,
what the environment keeps.

It is only a guess: every probe checks it, and a plan from a wrong guess is computed again. The file may be removed
at any time.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from nexus.cache import cache_directory
from nexus.environment.environment import Traits
from nexus.workstation import write_whole


class Memory:
    """The memory of one environment on this machine, below ~/.cache."""

    def __init__(self, name: str) -> None:
        self._path = cache_directory() / f"{name}.json"
        before = self._read()
        self._traits: dict[str, dict[str, Any]] = before.get("traits", {})
        self.digests: Mapping[str, str] = before.get("digests", {})
        self.kept: Mapping[str, Any] = before.get("kept", {})

    def traits(self, name: str) -> Traits | None:
        """Return the traits of a host in the last run; None if they are not known."""
        with suppress(KeyError, TypeError):  # written by another version
            return Traits(**self._traits[name])
        return None

    def keep(self, name: str, traits: Traits) -> None:
        """Remember the traits of a host."""
        self._traits[name] = asdict(traits)

    def save(self) -> None:
        """Write the file. An error is ignored: the next run then asks the hosts."""
        now = {"traits": self._traits, "digests": dict(self.digests), "kept": dict(self.kept)}
        with suppress(OSError):
            write_whole(self._path, json.dumps(now))

    def _read(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            found = json.loads(self._path.read_text())
            if isinstance(found, dict) and all(isinstance(part, dict) for part in found.values()):
                return found
        return {}
