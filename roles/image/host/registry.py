"""Runs on the registry's host: a client of its API."""

import base64
import json
import ssl
from http.client import HTTPSConnection
from typing import Any

from nexus.agent import http
from nexus.agent.lib import RemoteError
from nexus.agent.wait import repeat
from roles.image.host.storage import blobs

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


class Registry:
    """The registry's API; errors name the request."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self.port = payload["port"]
        self.tls = ssl.create_default_context(cafile=payload["ca"])
        token = base64.b64encode(f"{payload['user']}:{payload['password']}".encode()).decode()
        self.headers = {"Authorization": f"Basic {token}"}

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes] | None:
        """Status and body of a good answer, None for 404."""
        connection = HTTPSConnection("127.0.0.1", self.port, context=self.tls, timeout=60)
        try:
            answer = http.ask(connection, method, f"/v2/{path}", {**self.headers, **(headers or {})}, body)
        except OSError as error:
            raise RemoteError(f"registry on port {self.port}: {method} {path}: {error}") from None
        if answer.status == 404:
            return None
        if answer.status not in (200, 201, 202):
            text = answer.body[:300].decode(errors="replace")
            raise RemoteError(f"registry: {method} {path} answers {answer.status}: {text}")
        return answer.status, answer.body

    def wait(self, seconds: float) -> None:
        """Wait until it answers: it may have been started a moment ago."""
        repeat(lambda: self.ask("GET", ""), seconds, pause=0.3)

    def manifest(self, repository: str, tag: str) -> bytes | None:
        """Bytes of the manifest that the tag names; None when there is none."""
        found = self.ask("GET", f"nexus-cos/{repository}/manifests/{tag}", headers={"Accept": MANIFEST_TYPE})
        return found[1] if found else None

    def put(self, repository: str, manifest: bytes, source: str, tags: tuple[str, ...]) -> None:
        """Give the repository this manifest under these tags, its blobs mounted from `source`."""
        for digest in dict.fromkeys(blobs(json.loads(manifest))) if repository != source else ():
            path = f"nexus-cos/{repository}/blobs/uploads/?mount={digest}&from=nexus-cos/{source}"
            found = self.ask("POST", path, headers={"Content-Length": "0"})
            if found is None or found[0] != 201:
                raise RemoteError(f"registry: {source} has lost its layer {digest}: rerun this deploy")
        for tag in tags:
            path = f"nexus-cos/{repository}/manifests/{tag}"
            self.ask("PUT", path, manifest, {"Content-Type": MANIFEST_TYPE})

    def holds(self, repository: str, manifest: bytes) -> bool:
        """Whether the repository still has all blobs of the manifest."""
        paths = (f"nexus-cos/{repository}/blobs/{digest}" for digest in blobs(json.loads(manifest)))
        return all(self.ask("HEAD", path) for path in paths)
