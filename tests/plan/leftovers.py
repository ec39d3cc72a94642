"""Whether tests leave the checkout unchanged: no new file, and no new or changed secrets."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CACHES = {".git", ".venv", "__pycache__", "build", "reports"}  # and names such as .SOMETHING_cache
SECRETS = {".age", ".key"}
BEFORE = pytest.StashKey[dict[str, str]]()


def state() -> dict[str, str]:
    """Every path of the checkout except caches; files of secrets with the hash of their content."""
    return {str(path.relative_to(ROOT)): _content(path) for path in _files(ROOT)}


def complaints(before: dict[str, str]) -> list[str]:
    """New files and changed secrets; empty if nothing changed."""
    now = state()
    made = [f"{path} is new" for path in now if path not in before]
    changed = [f"{path} has changed" for path in before if now.get(path, "") != before[path]]
    return sorted([*made, *changed])


def _files(directory: Path) -> Iterator[Path]:
    for place, directories, files in os.walk(directory, followlinks=True):
        directories[:] = [name for name in directories if not _cached(name)]
        yield from (Path(place, name) for name in files)


def _cached(name: str) -> bool:
    return name in CACHES or name.endswith(("_cache", ".egg-info"))


def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.suffix in SECRETS else ""
