"""On the registry's host: which image each repository holds, and building and pushing what is missing."""

from __future__ import annotations

from typing import Any

from nexus.agent.change import Change
from roles.image.host.build import lay_down
from roles.image.host.storage import Repository


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, str]]:
    """{"image NAME": {"content", "digest"}} of those that the registry holds whole at this release."""
    whole: dict[str, list[str] | None] = {}
    found = {}
    for name in names:
        repository = Repository(context["storage"], name.removeprefix("image "))
        digest = repository.digest(context["release"])
        if not digest or not repository.holds(digest, whole):
            continue
        for tag in repository.tags():
            if tag.startswith("content-") and repository.digest(tag) == digest:
                found[name] = {"content": tag.removeprefix("content-"), "digest": digest}
    return found


def apply(change: Change) -> None:
    """Build what no repository holds, push it once, then lay it under the names that want it."""
    lay_down(change.changed, change.context, change.payload)
