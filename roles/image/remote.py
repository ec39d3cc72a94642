"""On the registry's host: which image each repository holds, and building and pushing what is missing."""

from __future__ import annotations

import glob
from typing import Any

from roles.image.storage import is_whole, read


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, str]]:
    """{"image NAME": {"content", "digest"}} of those that the registry holds whole at this release."""
    storage = f"{context['storage']}/docker/registry/v2"
    whole: dict[str, list[str] | None] = {}
    found = {}
    for name in names:
        repository = f"{storage}/repositories/nexus-cos/{name.removeprefix('image ')}"
        digest = read(f"{repository}/_manifests/tags/{context['release']}/current/link")
        if not digest:
            continue
        for tag in glob.glob(f"{repository}/_manifests/tags/content-*"):
            if read(f"{tag}/current/link") == digest and is_whole(storage, repository, digest, whole):
                found[name] = {"content": tag.rsplit("content-", 1)[1], "digest": digest}
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
