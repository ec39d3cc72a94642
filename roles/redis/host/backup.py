"""Redis's persistent instance: a snapshot of the primary, and the way back into a running one."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator

from nexus.agent.lib import RemoteError, account
from nexus.agent.wait import tries, wait_until
from roles.backup.host.kind import Kind, Record
from roles.backup.host.vault import Config, Vault, scratch
from roles.redis.host.client import Client, ReplyError

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


def save(config: Config, vault: Vault, type_: str = "") -> Record:
    """A snapshot, encrypted and stored; how many keys it holds is counted in the snapshot itself."""
    client = connect(config)
    before = written(config)
    with contextlib.suppress(ReplyError):  # one is under way already
        client("BGSAVE", "SCHEDULE")
    late = f"Redis wrote no snapshot within {SAVE_SECONDS} s: its journal says why"
    wait_until(lambda: written(config) != before, SAVE_SECONDS, late, pause=0.2)
    client.close()
    with scratch() as directory:
        copy = f"{directory}/dump.rdb"
        shutil.copyfile(config["redis"]["snapshot"], copy)
        with loaded(copy) as other:
            keys = int(other("DBSIZE"))
        return vault.save("redis", "persistent.rdb", copy, {"keys": keys})


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
            errors="replace",
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
    for _ in tries(START_SECONDS, pause=0.2):
        with contextlib.suppress(OSError, ReplyError):
            client = Client.local(socket, "default", password)
            client("DBSIZE")  # refused while it loads
            return client
        if process.poll() is not None:
            break
    process.kill()
    assert process.stdout
    said = " ".join(process.stdout.read().split()[-60:])
    raise RemoteError(f"a server could not load the snapshot: {said}")


def load(config: Config, snapshot: str) -> str:
    """Put every key of a snapshot into this host's server, replacing keys of the same name; says how many."""
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
                return f"{count} keys"


def check(record: Record, path: str) -> list[str]:
    """What differs between a snapshot and what was recorded of it."""
    with loaded(path) as client:
        keys = int(client("DBSIZE"))
    wanted = record["holds"]["keys"]
    # Keys may have reached the end of their time since.
    return [f"{record['label']}: {keys} keys, {wanted} were saved"] if keys > wanted else []


KIND = Kind(
    is_saver=is_primary,
    save=save,
    prefixes=("redis/",),
    check=check,
    check_here=True,  # with the server's own program
    load=load,
)
