"""Values that are computed on first use."""

from __future__ import annotations

from functools import partial

import pytest

from nexus.plan.lazy import Lazy


def test_only_requested_values_are_computed() -> None:
    asked: list[str] = []

    def make(name: str) -> str:
        asked.append(name)
        return name.upper()

    found = Lazy({name: partial(make, name) for name in ("one", "two")})
    assert (list(found), len(found), "two" in dict.fromkeys(found), asked) == (["one", "two"], 2, True, [])
    assert (found["two"], asked) == ("TWO", ["two"])
    assert dict(found) == {"one": "ONE", "two": "TWO"}
    with pytest.raises(KeyError):
        found["three"]
