"""Properties of a state in words without secrets. Pure functions."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from nexus.plan.comparison import Mark

MOST_SHOWN = 11  # characters; the shortest hash has 12
HASH = re.compile(r"[0-9a-fA-F]{12,}|[\w+/=-]{24,}")
IMAGE = re.compile(r"^([\w./:-]+@sha256:[0-9a-f]{12})[0-9a-f]{52}$")


def differences(different: Iterable[str], present: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """How these properties differ; shows only values that are too short to be a hash."""
    parts = []
    for key in different:
        old, new = present.get(key), wanted[key]
        short = _short(old) and _short(new)
        parts.append(f"{key} {old} -> {new}" if short else f"{key} differs")
    return ", ".join(parts)


def _short(value: Any) -> bool:
    """Whether a value may be shown: a number, or a word that is too short to be a hash."""
    return isinstance(value, bool | int | type(None)) or (isinstance(value, str) and len(value) <= MOST_SHOWN)


def words(wanted: Iterable[str], present: Mapping[str, Any] | None, mark: Mark) -> str:
    """The wanted properties with their present values, each as it may be shown; empty if absent."""
    if present is None:
        return ""
    return ", ".join(f"{key} {_value(present.get(key), mark)}" for key in sorted(wanted)) or "there"


def _value(value: Any, mark: Mark) -> str:
    """A value as it may be shown: a possible hash of a secret is replaced by a keyed hash that nobody can reverse."""
    if isinstance(value, bool | int | float | type(None)):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    if image := IMAGE.match(text):
        return image[1]
    return f"({mark(text)})" if len(text) > 80 or HASH.search(text) else text or '""'
