"""What is known of the last backup of each kind, as files on this host and objects in the bucket.

One JSON file a kind, DIRECTORY/KIND.json, and the same below status/ in the bucket; README says what is in it. Of
those on this host, Prometheus gets the times.
"""

import contextlib
import datetime as dt
import json
import os
import time
from collections.abc import Callable
from typing import Any

from nexus.agent import metrics
from nexus.agent.file import read_json, write_atomic
from nexus.agent.lib import RemoteError, listing
from roles.backup.host.vault import Config, Vault

FORMAT = 1
METRIC = "nexus_backup_last_success_timestamp_seconds"
Record = dict[str, Any]


def now() -> str:
    """This moment in UTC, as records have it."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def newest(config: Config, vault: Vault, kind: str) -> Record:
    """The environment's newest record of a kind, whichever host made it; empty when there is none."""
    here = read_json(path(config, kind))
    there: Record = {}
    with contextlib.suppress(RemoteError, ValueError):
        there = json.loads(vault.bucket.get(f"status/{kind}.json"))
    return max(here, there, key=lambda record: str(record.get("finished_at", "")))


def last_ok(config: Config, vault: Vault, kind: str) -> Record:
    """The newest record of a kind that was ok; empty when none ever was."""
    found = newest(config, vault, kind)
    return found if found.get("ok") else dict(found.get("last_ok", {}))


def recorded(config: Config, vault: Vault, kind: str, work: Callable[[], Record]) -> Record:
    """Do the work and record what it says, or why it failed; a RemoteError becomes a record that is not ok."""
    before = newest(config, vault, kind)
    started, began = now(), time.monotonic()
    head = {"format": FORMAT, "kind": kind, "host": config["host"], "started_at": started}
    try:
        found = {"ok": True, "error": "", **work()}
    except (RemoteError, OSError) as error:
        found = {"ok": False, "error": " ".join(str(error).split())[:2000], "type": "", "label": "", "bytes": 0}
        found |= getattr(error, "known", {})
    finished = now()
    found |= {"finished_at": finished, "seconds": round(time.monotonic() - began, 1)}
    found["ok_at"] = finished if found["ok"] else before.get("ok_at", "")
    if not found["ok"]:
        found["last_ok"] = before if before.get("ok") else before.get("last_ok", {})
    record = {**head, **found}
    write(config, kind, record)
    try:
        vault.bucket.put(f"status/{kind}.json", text(record).encode())
    except RemoteError as error:
        record = {**record, "ok": False, "error": record["error"] or f"the record could not be stored: {error}"}
        write(config, kind, record)
    return record


def write(config: Config, kind: str, record: Record) -> None:
    """Put the record in its place."""
    os.makedirs(config["directory"], exist_ok=True)
    write_atomic(path(config, kind), text(record).encode())
    export(config)


def export(config: Config) -> None:
    """Leave the times of this host's records for the node exporter; 0 where no backup was ever ok."""
    if not os.path.isdir(os.path.dirname(config["metrics"])):
        return  # this host's exporters come later
    told = [
        read_json(f"{config['directory']}/{name}") for name in listing(config["directory"]) if name.endswith(".json")
    ]
    times = [(found["kind"], seconds(found.get("ok_at", ""))) for found in told if "finished_at" in found]
    metrics.write(config["metrics"], ((METRIC, {"kind": kind}, at) for kind, at in times))


def seconds(when: str) -> int:
    """A moment of a record as seconds since 1970."""
    return int(dt.datetime.fromisoformat(when.replace("Z", "+00:00")).timestamp()) if when else 0


def text(record: Record) -> str:
    """A record as it is stored."""
    return json.dumps(record, indent=1) + "\n"


def path(config: Config, kind: str) -> str:
    """Where the record of a kind lies."""
    return f"{config['directory']}/{kind}.json"
