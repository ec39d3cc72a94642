"""What a copy of buckets holds: one file for each object, an index that says which is which, and the server's mark.

The mark has a file of its own: every run asks for it, and the index of many objects is large.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nexus.agent.file import read_json, read_text, write_atomic
from nexus.agent.lib import digest
from roles.storage.host.s3 import Listed

DAY = 86400
Entry = dict[str, Any]  # etag, bytes, sha256, headers; gone: since when the bucket lacks it, in seconds since 1970


def server_of(directory: str) -> str:
    """The mark of the object storage that was copied; empty if nothing was copied yet."""
    return read_text(f"{directory}/server")


class Index:
    """The copy in a directory, `server` as in `server_of`."""

    def __init__(self, directory: str) -> None:
        self.directory, self.path = directory, f"{directory}/index.json"
        self.server = server_of(directory)
        self.buckets: dict[str, dict[str, Entry]] = read_json(self.path).get("buckets", {})

    def write(self) -> None:
        """Store the mark and the index."""
        write_atomic(f"{self.directory}/server", self.server.encode())
        write_atomic(self.path, json.dumps({"buckets": self.buckets}, sort_keys=True).encode())

    def file(self, bucket: str, key: str) -> str:
        """Where the content of an object lies. Its name is a hash, since a key may be any text."""
        name = hashlib.sha256(f"{bucket}/{key}".encode()).hexdigest()
        return f"{self.directory}/objects/{name[:2]}/{name}"

    def objects(self, bucket: str) -> dict[str, Entry]:
        """Objects of a bucket that were in it when it was last copied, by key."""
        return {key: entry for key, entry in self.buckets.get(bucket, {}).items() if "gone" not in entry}

    def missing(self, bucket: str, listed: Iterable[Listed]) -> Iterator[Listed]:
        """Objects that the copy lacks, or has with other content."""
        known = self.objects(bucket)
        for found in listed:
            entry = known.get(found.key)
            if not entry or entry["etag"] != found.etag or entry["bytes"] != found.bytes:
                yield found

    def add(self, bucket: str, key: str, etag: str, headers: Mapping[str, str]) -> None:
        """Enter an object whose file is complete."""
        path = self.file(bucket, key)
        entry = {"etag": etag, "bytes": os.path.getsize(path), "sha256": digest(path), "headers": dict(headers)}
        self.buckets.setdefault(bucket, {})[key] = entry

    def forget(self, bucket: str, keys: Iterable[str], days: float) -> int:
        """Remove objects that have been out of a bucket with these keys for that many days; how many."""
        there, now, gone = set(keys), time.time(), 0
        for key, entry in list(self.buckets.get(bucket, {}).items()):
            if key in there:
                entry.pop("gone", None)
            elif now - entry.setdefault("gone", now) >= days * DAY:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.file(bucket, key))
                del self.buckets[bucket][key]
                gone += 1
        return gone

    def damaged(self, share: int, of: int) -> list[tuple[str, str]]:
        """(bucket, key) of objects whose file is not as it was copied, in one of so many equal shares of all."""
        found = []
        for bucket, entries in self.buckets.items():
            for key, entry in entries.items():
                path = self.file(bucket, key)
                if int(os.path.basename(path)[:8], 16) % of == share and digest(path) != entry["sha256"]:
                    found.append((bucket, key))
        return found
