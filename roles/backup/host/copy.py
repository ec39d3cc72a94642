"""The copy of all buckets of our own object storage, on another host, and how a new server is filled from it.

The server carries a mark, an object in the bucket of backups. A server without the mark of the copy is new: nothing is
copied from it, so that an empty bucket cannot empty the copy, until a run has filled it.
"""

import json
import os
import time
import uuid
from collections.abc import Mapping
from typing import Any

from nexus.agent.kernel import room
from nexus.agent.lib import RemoteError
from roles.backup.host.copy_index import Entry, Index
from roles.backup.host.kind import Kind, Record
from roles.backup.host.vault import Config, Vault
from roles.storage.host.s3 import Bucket, Listed

MARK = "copy/server.json"
WRITE_SECONDS = 60  # between two writes of the index: what is copied after the last one is copied again after a kill
SAY_SECONDS = 20
SHARES = 168  # one of these parts of the copy is compared with its digests each time: all of it in a week
FIRST = ("archive.info", "backup.info", "secrets.age")  # what others look for in a bucket first


def save(config: Config, vault: Vault, type_: str = "") -> Record:
    """Copy what is new in the buckets, remove what has long left them; what the record says of the copy."""
    own = config["copy"]
    index = Index(own["directory"])
    index.server = recognized(vault.bucket, index)
    damaged = repair(index)
    index.write()
    new = gone = 0
    try:
        for name in own["buckets"]:
            bucket = bucket_of(own["access"], name)
            listed = [found for found in bucket.objects() if (name, found.key) != (vault.bucket.name, MARK)]
            gone += index.forget(name, (found.key for found in listed), own["keep_days"])
            new += copy(bucket, index, listed, own["free_percent"])
        gone += sum(index.forget(name, (), own["keep_days"]) for name in set(index.buckets) - set(own["buckets"]))
    finally:
        index.write()
    entries = [entry for name in index.buckets for entry in index.objects(name).values()]
    held = {"objects": len(entries), "new": new, "removed": gone, "damaged": damaged}
    return {"type": "copy", "label": f"of {len(entries)} objects", "bytes": size(entries), "holds": held}


def recognized(bucket: Bucket, index: Index) -> str:
    """The server's mark; a new one where neither it nor the copy has any. RemoteError for another server."""
    there = mark(bucket)
    if index.server and there != index.server:
        count = sum(len(index.objects(name)) for name in index.buckets)
        raise RemoteError(
            f"object storage at {bucket.host} is new and lacks what was copied here ({count} objects). Nothing is "
            "copied until it has them again: pyinfra inventory deploys/full.py -y"
        )
    if not there:
        there = uuid.uuid4().hex
        put_mark(bucket, there)
    return there


def mark(bucket: Bucket) -> str:
    """The mark of the server; empty if it has none."""
    found = bucket.find(MARK)
    return str(json.loads(found)["server"]) if found else ""


def put_mark(bucket: Bucket, server: str) -> None:
    """Mark the server."""
    bucket.put(MARK, json.dumps({"server": server}).encode())


def repair(index: Index) -> int:
    """Leave damaged files out of the index, so that they are copied again; how many there were."""
    found = index.damaged(int(time.time() // 3600) % SHARES, SHARES)
    for bucket, key in found:
        del index.buckets[bucket][key]
    return len(found)


def copy(bucket: Bucket, index: Index, listed: list[Listed], free_percent: float) -> int:
    """Fetch the objects of a bucket that the copy lacks; how many. One that was removed meanwhile is left out."""
    new, wrote = 0, time.monotonic()
    for found in index.missing(bucket.name, listed):
        check_room(index.directory, found.bytes, free_percent)
        path = index.file(bucket.name, found.key)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        if fetched := bucket.fetch(found.key, f"{path}.new"):
            os.rename(f"{path}.new", path)
            index.add(bucket.name, found.key, fetched[0] or found.etag, fetched[1])
            new += 1
        else:
            os.unlink(f"{path}.new")
        if time.monotonic() - wrote > WRITE_SECONDS:
            index.write()
            wrote = time.monotonic()
    return new


def check_room(directory: str, size: int, free_percent: float) -> None:
    """Refuse an object that would leave the stores of this host too little room."""
    free, percent = room(os.statvfs(directory))
    if percent * (free - size) / max(1, free) < free_percent:
        raise RemoteError(
            f"nothing more is copied to {directory}: less than {free_percent} % of its file system would stay free. "
            "Make room, name another host (backup_copy_host) or directory (backup_copy_directory), or lower "
            "backup_copy_free_percent"
        )


def fill(config: Config, admin: Mapping[str, Any]) -> None:
    """Give a new server what the copy has, then the mark. What a bucket has already stays as it is."""
    index = Index(config["copy"]["directory"])
    lost: list[str] = []
    for name in config["copy"]["buckets"]:
        bucket = bucket_of(admin, name)
        there = {found.key for found in bucket.objects()}
        wanted = {key: entry for key, entry in index.objects(name).items() if key not in there}
        lost += upload(bucket, index, wanted)
        print(f"bucket {name}: {len(wanted)} objects, {size(wanted.values()) >> 20} MiB from the copy", flush=True)
    for name in lost:
        print(f"{name} is damaged in the copy too, and lost", flush=True)
    put_mark(Bucket(config["storage"]), index.server)


def upload(bucket: Bucket, index: Index, wanted: Mapping[str, Entry]) -> list[str]:
    """Store objects from the copy; names of those whose file is missing or incomplete."""
    lost, said = [], time.monotonic()
    for number, key in enumerate(sorted(wanted, key=lambda key: (not key.endswith(FIRST), key)), 1):
        path = index.file(bucket.name, key)
        if os.path.exists(path) and os.path.getsize(path) == wanted[key]["bytes"]:
            bucket.upload(key, path, wanted[key]["headers"])
        else:
            lost.append(f"{bucket.name}/{key}")
        if time.monotonic() - said > SAY_SECONDS:
            said = time.monotonic()
            print(f"bucket {bucket.name}: {number} of {len(wanted)} objects", flush=True)
    return lost


def bucket_of(access: Mapping[str, Any], name: str) -> Bucket:
    return Bucket({**access, "bucket": name})


def size(entries: Any) -> int:
    return sum(int(entry["bytes"]) for entry in entries)


def compared_hourly(config: Config, saved: Record, found: Record) -> None:
    """Nothing: each copy compares a part of the files with their digests."""


KIND = Kind(is_saver=lambda config: True, save=save, prefixes=(), prove=compared_hourly)
