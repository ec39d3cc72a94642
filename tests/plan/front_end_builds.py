"""Builds of front ends without npm: small files with hashes in their names, kept as real ones are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from nexus.environment.environment import Environment
from roles.frontend.build import Build, keep
from roles.frontend.site import by_slug
from roles.frontend.source import source


def environment_settings(directory: Path) -> Mapping[str, str]:
    """Settings that keep builds and hosts' files below a directory."""
    return {"frontend_build_directory": str(directory / "builds"), "frontend_directory": str(directory / "front_ends")}


def files(slug: str, text: str) -> dict[str, bytes]:
    """A page, a script that only this text has, and a library that all releases share."""
    script = f"/* {slug} */ const text = {text!r};\n".encode() * 60
    name = f"assets/index-{hashlib.sha256(script).hexdigest()[:8]}.js"
    library = b"// the same in every release\n" * 200
    page = f'<!doctype html><script type="module" src="/{slug}/{name}"></script>'
    return {"index.html": page.encode(), name: script, "assets/library-1a2b3c4d.js": library, "robots.txt": b""}


def built(env: Environment, slug: str, text: str = "one") -> Build:
    """A build of a front end, kept as that of its source."""
    found = source(env, by_slug(env)[slug])
    assert found is not None
    content = files(slug, text)
    return keep(env, found.key, content, [path for path in content if path.startswith("assets/")])
