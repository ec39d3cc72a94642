"""What a run remembers of the last one, so that it need not ask twice: traits of hosts, digests of images,
what the environment keeps.

A guess and never more: every probe confirms it, and what turned out otherwise is planned again. The
file may be removed at any time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from roles.kit.environment import Traits


def cache_directory() -> Path:
    """Where this user keeps what can be made again: nothing in it is ever needed."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nexus-cos"


class Memory:
    """The memory of one environment on this machine, below ~/.cache."""

    def __init__(self, name: str) -> None:
        self._path = cache_directory() / f"{name}.json"
        self._before = self._read()
        self._traits: dict[str, dict[str, Any]] = dict(self._before.get("traits", {}))
        self.digests: Mapping[str, str] = dict(self._before.get("digests", {}))
        self.kept: Mapping[str, Any] = dict(self._before.get("kept", {}))
        self.sound: str = self._before.get("sound", {}).get("inputs", "")  # what was found to be without fault

    def traits(self, name: str) -> Traits | None:
        """Traits of a host as they were, None when it is not remembered."""
        from roles.kit.environment import Traits

        with suppress(KeyError, TypeError):  # written by another version
            return Traits(**self._traits[name])
        return None

    def keep(self, name: str, traits: Traits) -> None:
        """Remember what a host is like."""
        self._traits[name] = asdict(traits)

    def save(self) -> None:
        """Write the file if anything is new. A memory that cannot be written is done without."""
        now = {
            "traits": self._traits,
            "digests": dict(self.digests),
            "kept": dict(self.kept),
            "sound": {"inputs": self.sound},
        }
        if now == self._before:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_suffix(f".{os.getpid()}")
            fresh.write_text(json.dumps(now))
            fresh.replace(self._path)

    def _read(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            found = json.loads(self._path.read_text())
            if isinstance(found, dict) and all(isinstance(part, dict) for part in found.values()):
                return found
        return {}
