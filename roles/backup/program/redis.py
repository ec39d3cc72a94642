"""Redis's persistent instance: a snapshot of the primary, and the way back into a running one."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from roles.backup.program.vault import Config, Vault, digest, scratch
from roles.kit.agent.base import RemoteError, account
from roles.redis.client import Client, ReplyError

Record = dict[str, Any]
SAVE_SECONDS = 600
START_SECONDS = 120
BATCH = 500


def is_primary(config: Config) -> bool:
    """Whether this host's server takes writes."""
    client = connect(config)
    try:
        return bool(client("ROLE")[0] == "master")
    finally:
        client.close()


def connect(config: Config) -> Client:
    """As administrator at this host's socket."""
    redis = config["redis"]
    try:
        return Client.local(redis["socket"], redis["user"], redis["password"])
    except (OSError, ReplyError) as error:
        raise RemoteError(
            f"Redis at {redis['socket']} does not let the administrator in: "
            f"{error}. deploys/data.py lays his password down"
        ) from None


def save(config: Config, vault: Vault) -> Record:
    """A snapshot, encrypted and stored; how many keys it holds is counted in the snapshot itself."""
    client = connect(config)
    before = written(config)
    with contextlib.suppress(ReplyError):  # one is under way already
        client("BGSAVE", "SCHEDULE")
    deadline = time.monotonic() + SAVE_SECONDS
    while written(config) == before:
        if time.monotonic() > deadline:
            raise RemoteError(f"Redis wrote no snapshot within {SAVE_SECONDS} s: its journal says why")
        time.sleep(0.2)
    client.close()
    with scratch() as directory:
        copy = f"{directory}/dump.rdb"
        shutil.copyfile(config["redis"]["snapshot"], copy)
        with loaded(copy) as other:
            keys = int(other("DBSIZE"))
        key, size, found = vault.save("redis", "persistent.rdb", copy)
    return {"type": "full", "label": key, "bytes": size, "holds": {"keys": keys, "sha256": found}}


def written(config: Config) -> int:
    """When the snapshot was put in its place, in nanoseconds; 0 when there is none."""
    with contextlib.suppress(FileNotFoundError):
        return os.stat(config["redis"]["snapshot"]).st_mtime_ns
    return 0


@contextlib.contextmanager
def loaded(snapshot: str) -> Iterator[Client]:
    """A client of a server of its own that has loaded a snapshot; it listens on no port and is gone afterwards."""
    with scratch() as directory:
        shutil.copyfile(snapshot, f"{directory}/dump.rdb")
        shutil.chown(directory, "redis", "redis")
        shutil.chown(f"{directory}/dump.rdb", "redis", "redis")
        socket, password = f"{directory}/redis.sock", os.urandom(16).hex()
        settings = {"port": 0, "unixsocket": socket, "dir": directory, "requirepass": password, "save": '""'}
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        process = subprocess.Popen(
            ["redis-server", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=directory,
            **account("redis"),
        )
        assert process.stdin
        process.stdin.write(text)
        process.stdin.close()
        try:
            yield _ready(process, socket, password)
        finally:
            process.kill()
            process.wait()


def _ready(process: subprocess.Popen[str], socket: str, password: str) -> Client:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError, ReplyError):
            client = Client.local(socket, "default", password)
            client("DBSIZE")  # refused while it loads
            return client
        time.sleep(0.2)
    process.kill()
    assert process.stdout
    said = " ".join(process.stdout.read().split()[-60:])
    raise RemoteError(f"a server could not load the snapshot: {said}")


def load(config: Config, snapshot: str) -> int:
    """Put every key of a snapshot into this host's server, replacing keys of the same name; how many."""
    target, count, cursor = connect(config), 0, b"0"
    target.raw = True
    with loaded(snapshot) as source:
        source.raw = True
        while True:
            cursor, keys = source("SCAN", cursor, "COUNT", BATCH)
            for key in keys:
                value, left = source("DUMP", key), source("PTTL", key)
                if value is not None:
                    target("RESTORE", key, max(0, left), value, "REPLACE")
                    count += 1
            if cursor == b"0":
                return count


def check(record: Record, path: str) -> list[str]:
    """What differs between a snapshot and what was recorded of it."""
    if digest(path) != record["holds"]["sha256"]:
        return [f"{record['label']}: its content is not what was saved"]
    with loaded(path) as client:
        keys = int(client("DBSIZE"))
    wanted = record["holds"]["keys"]
    # Keys may have reached the end of their time since.
    return [f"{record['label']}: {keys} keys, {wanted} were saved"] if keys > wanted else []
