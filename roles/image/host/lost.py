"""Runs on the registry's host: which images its storage lacks."""

from typing import Any

from roles.image.host.storage import Repository


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{name: {}} of the names REPOSITORY@DIGEST that are not there completely."""
    whole: dict[str, list[str] | None] = {}
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        repository, _, digest = name.partition("@")
        if not Repository(context["storage"], repository).holds(digest, whole):
            found[name] = {}
    return found
