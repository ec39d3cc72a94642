"""What a front end is built from, and the key of its build: equal sources have equal builds."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nexus.environment.environment import Environment
from roles.frontend.site import PORTAL, FrontEndSite
from roles.image.checkout import LEFT_OUT, Checkout, checkout

REVISION = "1"  # another value builds all front ends again
LEFT = frozenset({"dist", "build", "coverage"}) | LEFT_OUT


@dataclass(frozen=True)
class Source:
    """Files of a front end by their path below its folder, and what its build gets from outside.

    `application` is False for files that are served as they are. `environment` has variables of the build.
    """

    site: FrontEndSite
    files: Mapping[str, bytes]
    application: bool
    environment: Mapping[str, str]
    where: str  # the folder, for messages

    @property
    def key(self) -> str:
        """Hex digest of everything that the build depends on."""
        about = [REVISION, self.site.base, self.site.assets, self.application, dict(self.environment)]
        digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
        for path, data in sorted(self.files.items()):
            digest.update(f"\0{path}\0{len(data)}\0".encode() + data)
        return digest.hexdigest()


def source(env: Environment, site: FrontEndSite) -> Source | None:
    """The source of a front end; None if only a checkout has it and this run has none."""
    if site.pages is None:
        words = {
            "FRONTEND_PAGE": "portal" if site.slug == PORTAL else "module",
            "FRONTEND_TITLE": site.title,
            "FRONTEND_PURPOSE": site.purpose,
        }
        folder = env.root / "templates/frontend/reference"
        return Source(site, _reference(folder), True, words, str(folder))
    code = checkout(env)
    if code is None:
        return None
    files = _of_checkout(code, site.pages.folder)
    variables = {"VITE_API_URL": str(env.setting.frontend_api_url)} if site.pages.output else {}
    return Source(site, files, site.pages.output is not None, variables, str(code.path / site.pages.folder))


@cache
def _of_checkout(code: Checkout, folder: str) -> Mapping[str, bytes]:
    """The files of a front end in a checkout. They are read once per run, so build and key have the same content."""
    files = {path.removeprefix(f"{folder}/"): data for path, data in code.files(folder).items()}
    return {path: data for path, data in files.items() if path.partition("/")[0] not in LEFT}


@cache
def _reference(folder: Path) -> Mapping[str, bytes]:
    """The files of the reference front end; a developer's install is left out."""
    paths = [path for path in folder.rglob("*") if path.is_file() and "node_modules" not in path.parts]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}
