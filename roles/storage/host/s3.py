"""A bucket of an S3-compatible store, over one connection, signed by version 4.

Objects are addressed as ENDPOINT/BUCKET/KEY, which our own server and AWS both understand. What is uploaded and
downloaded goes through files, so its size is not bounded by memory; one request holds up to 5 GiB.
"""

import datetime as dt
import hashlib
import http.client
import os
import ssl
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from nexus.agent.lib import RemoteError
from roles.storage.host.signature import headers

SECONDS = 120
CHUNK_BYTES = 1024**2
ATTEMPTS = 4  # an answer of 5xx, or none, is asked again
# Headers that belong to an object and are stored with it, as those are that begin with OWN.
KEPT = ("content-type", "content-encoding", "content-disposition", "content-language", "cache-control", "expires")
OWN = "x-amz-meta-"


class Listed(NamedTuple):
    """An object as a listing has it; `etag` changes with its content."""

    key: str
    bytes: int
    etag: str


class Bucket:
    """One bucket; `access` is {"endpoint", "port", "region", "bucket", "key", "secret", "ca"}."""

    def __init__(self, access: Mapping[str, Any], attempts: int = ATTEMPTS, seconds: float = SECONDS) -> None:
        self.access, self.name, self.attempts = access, str(access["bucket"]), attempts
        tls = ssl.create_default_context(cafile=access["ca"] or None)
        self.host = f"{access['endpoint']}:{access['port']}"
        self.connection = http.client.HTTPSConnection(access["endpoint"], access["port"], timeout=seconds, context=tls)

    def put(self, key: str, data: bytes) -> None:
        """Store an object."""
        self._ask("PUT", key, body=data)

    def get(self, key: str) -> bytes:
        """Content of an object; RemoteError when there is none."""
        found = self.find(key)
        if found is None:
            raise RemoteError(f"{self.name}/{key} is not in the bucket")
        return found

    def find(self, key: str) -> bytes | None:
        """Content of an object; None when there is none."""
        status, _, found = self._ask("GET", key, allowed=(200, 404))
        return None if status == 404 else found

    def upload(self, key: str, path: str, headers: Mapping[str, str] | None = None) -> int:
        """Store a file, with these headers of its own; its size in bytes."""
        with open(path, "rb") as stream:
            self._ask("PUT", key, body=stream, own=headers)
        return os.path.getsize(path)

    def download(self, key: str, path: str) -> None:
        """An object's content into a file that only its owner reads."""
        if self.fetch(key, path) is None:
            raise RemoteError(f"{self.name}/{key} is not in the bucket")

    def fetch(self, key: str, path: str) -> tuple[str, dict[str, str]] | None:
        """The same; (etag, headers that belong to the object), or None when there is none."""
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            status, found, _ = self._ask("GET", key, allowed=(200, 404), into=stream)
        if status == 404:
            return None
        told = {name.lower(): value for name, value in found.items()}
        own = {name: value for name, value in told.items() if name in KEPT or name.startswith(OWN)}
        return told.get("etag", "").strip('"'), own

    def delete(self, key: str, version: str = "") -> None:
        """Remove an object, or one version of it for good."""
        self._ask("DELETE", key, {"versionId": version} if version else {}, allowed=(200, 204, 404))

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """(key, bytes) of every object below a prefix, sorted by key."""
        return ((found.key, found.bytes) for found in self.objects(prefix))

    def objects(self, prefix: str = "") -> Iterator[Listed]:
        """Every object below a prefix, sorted by key."""
        query = {"list-type": "2", "prefix": prefix}
        while True:
            page = self._xml(query)
            for entry in _all(page, "Contents"):
                yield Listed(_text(entry, "Key"), int(_text(entry, "Size")), _text(entry, "ETag").strip('"'))
            token = _text(page, "NextContinuationToken")
            if _text(page, "IsTruncated") != "true" or not token:
                return
            query["continuation-token"] = token

    def versions(self, prefix: str = "") -> Iterator[tuple[str, str, bool, dt.datetime]]:
        """(key, version, whether it is the latest, when it was made) of all versions and marks of deletion."""
        query = {"versions": "", "prefix": prefix}
        while True:
            page = self._xml(query)
            for entry in [*_all(page, "Version"), *_all(page, "DeleteMarker")]:
                made = dt.datetime.fromisoformat(_text(entry, "LastModified").replace("Z", "+00:00"))
                yield _text(entry, "Key"), _text(entry, "VersionId"), _text(entry, "IsLatest") == "true", made
            if _text(page, "IsTruncated") != "true":
                return
            query["key-marker"] = _text(page, "NextKeyMarker")
            query["version-id-marker"] = _text(page, "NextVersionIdMarker")

    def exists(self) -> bool:
        """Whether the bucket is there; RemoteError when these credentials may not ask."""
        return self._ask("HEAD", "", allowed=(200, 404))[0] == 200

    def create(self) -> None:
        """Make the bucket; one that is ours already is left as it is."""
        region = str(self.access["region"])
        place = f"<LocationConstraint>{region}</LocationConstraint>"
        body = f"<CreateBucketConfiguration>{place}</CreateBucketConfiguration>"
        self._ask("PUT", "", body=b"" if region == "us-east-1" else body.encode(), allowed=(200, 409))

    def versioned(self) -> bool | None:
        """Whether the bucket keeps what is overwritten or deleted; None where it is not there."""
        status, _, found = self._ask("GET", "", {"versioning": ""}, allowed=(200, 404))
        return None if status == 404 else _text(ElementTree.fromstring(found), "Status") == "Enabled"

    def set_versioned(self) -> None:
        """Have the bucket keep what is overwritten or deleted."""
        body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        self._ask("PUT", "", {"versioning": ""}, body.encode())

    def _xml(self, query: Mapping[str, str]) -> ElementTree.Element:
        return ElementTree.fromstring(self._ask("GET", "", query)[2])

    def _ask(
        self,
        method: str,
        key: str,
        query: Mapping[str, str] | None = None,
        body: bytes | BinaryIO = b"",
        allowed: tuple[int, ...] = (200, 204),
        into: BinaryIO | None = None,
        own: Mapping[str, str] | None = None,
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        for attempt in range(1, self.attempts + 1):
            try:
                status, headers, data = self._once(method, key, query or {}, body, into, own or {})
            except (OSError, http.client.HTTPException) as error:
                self.connection.close()
                if attempt == self.attempts:
                    why = f"does not answer: {error}; see `systemctl status seaweedfs` there"
                    raise RemoteError(f"object storage at {self.host} {why}") from None
            else:
                if status in allowed:
                    return status, headers, data
                if status < 500 or attempt == self.attempts:
                    what = f"{method} {self.name}/{key}".rstrip("/")
                    raise RemoteError(f"object storage at {self.host}: {what} answered {status}: {data[:300]!r}")
            time.sleep(2 ** (attempt - 1))
        raise AssertionError("not reached")

    def _once(
        self,
        method: str,
        key: str,
        query: Mapping[str, str],
        body: bytes | BinaryIO,
        into: BinaryIO | None,
        own: Mapping[str, str],
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        path = urllib.parse.quote(f"/{self.name}/{key}" if key else f"/{self.name}")
        words = "&".join(f"{_quoted(name)}={_quoted(query[name])}" for name in sorted(query))
        digest, size = _digest(body)
        signed = headers(self.access, self.host, method, path, words, digest, dt.datetime.now(dt.UTC), own)
        sent = {**signed, "Content-Length": str(size)}
        self.connection.request(method, f"{path}?{words}" if words else path, body or None, sent)
        answer = self.connection.getresponse()
        data = b""
        if into and answer.status == 200:
            into.seek(0)
            into.truncate()
            while chunk := answer.read(CHUNK_BYTES):
                into.write(chunk)
        else:
            data = answer.read()
        return answer.status, answer.headers, data


def _digest(body: bytes | BinaryIO) -> tuple[str, int]:
    """SHA-256 and size of what is sent; a file is left at its beginning."""
    if isinstance(body, bytes):
        return hashlib.sha256(body).hexdigest(), len(body)
    body.seek(0)
    found = hashlib.sha256()
    while chunk := body.read(CHUNK_BYTES):
        found.update(chunk)
    size = body.tell()
    body.seek(0)
    return found.hexdigest(), size


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def _all(parent: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [child for child in parent if child.tag.rsplit("}", 1)[-1] == name]


def _text(parent: ElementTree.Element, name: str) -> str:
    found = _all(parent, name)
    return (found[0].text or "") if found else ""
