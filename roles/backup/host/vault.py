"""The bucket as the place of backups: what goes in was encrypted on this host, by age, before."""

import contextlib
import datetime as dt
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from nexus.agent.lib import RemoteError, run
from roles.storage.host.s3 import Bucket

Config = dict[str, Any]
DATED = re.compile(r"/(\d{4}-\d{2}-\d{2})/")
SECONDS = 3600


class Vault:
    """Files in the bucket, by key KIND/YYYY-MM-DD/NAME.age."""

    def __init__(self, config: Config) -> None:
        self.config, self.bucket = config, Bucket(config["storage"])

    def save(self, kind: str, name: str, path: str, holds: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Encrypt a file and store it; what the record says of it, with what it holds and the SHA-256 of that."""
        now = dt.datetime.now(dt.UTC)
        key = f"{kind}/{now:%Y-%m-%d}/{now:%H%M%S}-{name}.age"
        with scratch() as directory:
            sealed = f"{directory}/sealed"
            run(["age", "--encrypt", "-r", self.config["recipient"], "-o", sealed, path], timeout=SECONDS)
            size = self.bucket.upload(key, sealed)
        return {"type": "full", "label": key, "bytes": size, "holds": {**(holds or {}), "sha256": digest(path)}}

    def load(self, key: str, path: str) -> None:
        """Fetch a file and decrypt it; RemoteError names the key of what is damaged."""
        with scratch() as directory:
            sealed = f"{directory}/sealed"
            self.bucket.download(key, sealed)
            try:
                run(["age", "--decrypt", "-i", self.config["identity"], "-o", path, sealed], timeout=SECONDS)
            except RemoteError as error:
                raise RemoteError(
                    f"{self.bucket.name}/{key} is damaged, or sealed with another key: "
                    f"{error}. Take an older one by --data to=TIME"
                ) from None
        os.chmod(path, 0o600)

    def expire(self, days: int, prefixes: Iterable[str]) -> int:
        """Remove what is older below these prefixes, and older versions of all that was overwritten or removed.

        How many objects that were.
        """
        oldest = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
        gone = 0
        for prefix in prefixes:
            for key, _ in list(self.bucket.list(prefix)):
                found = DATED.search(key)
                if found and dt.date.fromisoformat(found[1]) < oldest.date():
                    self.bucket.delete(key)
                    gone += 1
        for key, version, latest, made in list(self.bucket.versions()):
            if not latest and made < oldest:
                self.bucket.delete(key, version)
                gone += 1
        return gone


@contextlib.contextmanager
def scratch(near: str | None = None) -> Iterator[str]:
    """A directory that only root reads, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="nexus-backup-", dir=near or "/var/tmp") as directory:
        yield directory


def digest(path: str) -> str:
    """SHA-256 of a file."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
