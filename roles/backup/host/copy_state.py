"""Runs on the host with the copy of all buckets: whether object storage has what was copied, and how it gets it."""

import json
from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError
from nexus.agent.wait import repeat
from roles.backup.host.copy import bucket_of, fill, mark
from roles.backup.host.copy_index import server_of
from roles.backup.host.paths import CONFIG
from roles.storage.host.s3 import Bucket

Item = dict[str, Any]
LOOK_SECONDS = 10
READY_SECONDS = 120


def probe(names: list[str], context: Item) -> dict[str, Item]:
    """Whether the server has the mark of this copy; also right if nothing was copied yet."""
    server = server_of(context["directory"])
    try:
        found = not server or mark(Bucket(config()["storage"], attempts=1, seconds=LOOK_SECONDS)) == server
    except (RemoteError, OSError):
        found = False  # it is down, or not installed yet: found out again when the step is carried out
    return {"object storage": {"filled": True}} if found else {}


def apply(change: Change) -> None:
    """Fill the server, once it answers, unless it was only down for a moment."""
    known, admin = config(), change.payload["access"]
    repeat(bucket_of(admin, known["storage"]["bucket"]).exists, READY_SECONDS, pause=1)
    if mark(Bucket(known["storage"])) != server_of(change.context["directory"]):
        fill(known, admin)


def config() -> Item:
    """The configuration of the backup program on this host."""
    with open(CONFIG, errors="replace") as stream:
        found: Item = json.load(stream)
    return found
