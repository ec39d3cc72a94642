"""The registry's own storage, read on its host: a few small files for each repository, and no program is asked."""

from __future__ import annotations

import json
import os
from typing import Any


def read(path: str) -> str | None:
    """A small file's text, None when it is not there."""
    try:
        with open(path) as stream:
            return stream.read().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_whole(storage: str, repository: str, digest: str, known: dict[str, list[str] | None]) -> bool:
    """Whether manifest and layers are in the storage, and linked from the repository."""
    if digest not in known:
        manifest = read(blob(storage, digest))
        known[digest] = blobs(json.loads(manifest)) if manifest else None
        if not all(os.path.exists(blob(storage, layer)) for layer in known[digest] or ()):
            known[digest] = None
    layers = known[digest]
    link = f"{repository}/_manifests/revisions/sha256/{digest[7:]}/link"
    links = [link, *(f"{repository}/_layers/sha256/{layer[7:]}/link" for layer in layers or ())]
    return bool(layers) and all(map(os.path.exists, links))


def blob(storage: str, digest: str) -> str:
    return f"{storage}/blobs/sha256/{digest[7:9]}/{digest[7:]}/data"


def blobs(manifest: dict[str, Any]) -> list[str]:
    """Digests of the configuration and of all layers."""
    return [manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]
