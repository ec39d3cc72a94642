"""On the registry's host: the complete images of a release, and builds of missing ones.

Standard library only; roles/image/host/build.py does the work.
"""

import base64
import os
from typing import Any

from roles.image.host.storage import Repository


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{service: {"digest"}} for images that exist; {"releases": [...]} for a service that lacks this release."""
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        repository = Repository(context["storage"], name)
        digest = repository.digest(context["release"])
        if digest and repository.holds(digest, {}):
            found[name] = {"digest": digest}
        else:
            found[name] = {"releases": [tag for tag in repository.tags() if not tag.startswith("content-")]}
    return found


def build(context: dict[str, Any]) -> None:
    """Build and push the images of context["items"] from the build contexts in context["files"]."""
    from roles.image.host.build import lay_down

    made = [path for path in context["files"] if not os.path.exists(path)]
    try:
        for path in made:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as stream:
                stream.write(base64.b64decode(context["files"][path]))
        lay_down(list(context["items"]), context["image"], context["payload"])
    finally:
        for path in made:  # files of the environment's own release belong to the role image and stay
            os.unlink(path)
