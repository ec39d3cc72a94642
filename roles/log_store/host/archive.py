"""Packed journals in object storage, by time."""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nexus.agent.lib import run
from roles.log_store.host.journal import Journal
from roles.storage.host.s3 import Bucket

PREFIX = "logs/"
KEY = re.compile(rf"{PREFIX}(\d+)-(\d+)\.journal\.zst")
SECONDS = 600


class Packed(NamedTuple):
    """A packed journal: its key, the times of its first and last line in seconds, and its size in bytes."""

    key: str
    first: float
    last: float
    size: int


class Archive:
    """The packed journals in the bucket of backups."""

    def __init__(self, storage: Mapping[str, Any]) -> None:
        self.bucket = Bucket(storage)

    def all(self) -> Iterator[Packed]:
        """All that are there, oldest first."""
        for key, size in self.bucket.list(PREFIX):
            if found := KEY.fullmatch(key):
                yield Packed(key, int(found[1]) / 1000, int(found[2]) / 1000, size)

    def store(self, journal: Journal) -> None:
        """Compress a journal and store it. It is not changed."""
        with tempfile.TemporaryDirectory(prefix="nexus-log-", dir="/var/tmp") as scratch:
            packed = f"{scratch}/packed"
            run(["zstd", "--quiet", "-o", packed, journal.path], timeout=SECONDS)
            self.bucket.upload(f"{PREFIX}{journal.key}", packed)

    def fetch(self, packed: Packed, directory: str) -> None:
        """Put a packed journal into a directory, as a journal."""
        path = f"{directory}/logs@{packed.first:.3f}.journal"
        self.bucket.download(packed.key, f"{path}.zst")
        run(["zstd", "--quiet", "--decompress", "--rm", "-o", path, f"{path}.zst"], timeout=SECONDS)
        os.chmod(path, 0o600)

    def remove(self, packed: Packed) -> None:
        """Remove a packed journal for good, with what the bucket keeps of it."""
        self.bucket.delete(packed.key)
        for key, version, _, _ in list(self.bucket.versions(packed.key)):
            self.bucket.delete(key, version)
