"""On the registry's host: which image each repository holds, and building and pushing what is missing."""

from __future__ import annotations

from typing import Any

from roles.image.storage import Repository


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


def apply(
    items: dict[str, Any],
    changed: list[str],
    removed: list[str],
    context: dict[str, Any],
    payload: dict[str, Any],
) -> None:
    """Build what no repository holds, push it once, then lay it under the names that want it."""
    from roles.image.build import lay_down  # a probe needs none of what it imports

    lay_down(changed, context, payload)
