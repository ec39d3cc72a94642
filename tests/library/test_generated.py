"""YAML that other programs read: Go's libraries take some text for numbers that PyYAML takes for text."""

from __future__ import annotations

import pytest
import yaml

from nexus.environment.generated import plain


@pytest.mark.parametrize(
    "text", ["767425e25", "24183198e0", "12345678", "1.5e3", ".5", "0o17", "0b11", "0x1f", "y", "N"]
)
def test_text_that_others_read_as_another_type_is_quoted(text: str) -> None:
    assert plain({"hash": text}) == f"hash: '{text}'\n"


@pytest.mark.parametrize("text", ["1.2.3", "10.213.0.11", "e5", "1e", "v1", "abc"])
def test_other_text_is_not(text: str) -> None:
    assert plain({"hash": text}) == f"hash: {text}\n"


def test_numbers_stay_numbers() -> None:
    values = [5, 1.5, 1e22, True, None, "5", "1e5"]
    assert yaml.safe_load(plain(values)) == values
