"""Runs on the registry's host: finds which image each repository holds, and builds and pushes the missing ones."""

from typing import Any

from nexus.agent.change import Change
from roles.image.host.build import lay_down
from roles.image.host.storage import Repository


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, str]]:
    """{"image NAME": {"content", "digest"}} for images that the registry holds completely at this release."""
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
    """Build and push each image that no repository holds, then give it to the repositories that need it."""
    lay_down(change.changed, change.context, change.payload)
