"""The registry's own storage, read on its host: a few small files for each repository, without any program."""

import json
import os
from typing import Any

from nexus.agent.file import read_text
from nexus.agent.lib import listing


class Repository:
    """The images of one name in the registry that keeps its files at `root`."""

    def __init__(self, root: str, name: str) -> None:
        self.storage = f"{root}/docker/registry/v2"
        self.path = f"{self.storage}/repositories/nexus-cos/{name}"

    def digest(self, tag: str) -> str:
        """Digest of the manifest that a tag names; empty when the tag does not exist."""
        return read_text(f"{self.path}/_manifests/tags/{tag}/current/link").strip()

    def tags(self) -> list[str]:
        """All tags, in order."""
        return listing(f"{self.path}/_manifests/tags")

    def holds(self, digest: str, known: dict[str, list[str] | None]) -> bool:
        """Whether the manifest and its layers are in the storage and linked from the repository.

        `known` caches manifests as {digest: digests of its blobs}, for other repositories with the same manifest.
        """
        if digest not in known:
            manifest = read_text(self._blob(digest))
            known[digest] = blobs(json.loads(manifest)) if manifest else None
            if not all(os.path.exists(self._blob(layer)) for layer in known[digest] or ()):
                known[digest] = None
        layers = known[digest]
        link = f"{self.path}/_manifests/revisions/sha256/{digest[7:]}/link"
        links = [link, *(f"{self.path}/_layers/sha256/{layer[7:]}/link" for layer in layers or ())]
        return bool(layers) and all(map(os.path.exists, links))

    def _blob(self, digest: str) -> str:
        return f"{self.storage}/blobs/sha256/{digest[7:9]}/{digest[7:]}/data"


def blobs(manifest: dict[str, Any]) -> list[str]:
    """Digests of the configuration and of all layers."""
    return [manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]
