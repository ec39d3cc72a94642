"""Runs on the log store by a timer: closes, packs and removes journals.

    python3 -m roles.log_store.host.pack CONFIG

What is packed stays on the host until it is too old or the size needs the space: a search there is faster.
"""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from nexus.agent.file import read_json, write_atomic
from nexus.agent.lib import run
from roles.log_store.host.archive import Archive
from roles.log_store.host.journal import Journal, journals

DAY_SECONDS = 86400
ROUNDED_BYTES = 1 << 20  # a file may be that much larger than its limit: systemd rounds the limit up
RECORD = "/var/lib/nexus-log-pack/packed.json"  # which files are packed, and when that was last complete


def main(path: str) -> None:
    """Do what is due."""
    with open(path, encoding="utf-8", errors="replace") as source:
        config = json.load(source)
    now = time.time()
    close(config, now)
    if config["storage"]:
        archive = Archive(config["storage"])
        packed = pack(archive, journals(config["directory"]))
        record(packed, now)
        for old in [one for one in archive.all() if one.last < now - config["archive_days"] * DAY_SECONDS]:
            archive.remove(old)
    else:
        packed = []
    closed = [journal for journal in journals(config["directory"]) if journal.closed]
    for journal in surplus(closed, now - config["hot_days"] * DAY_SECONDS, config["closed_bytes"]):
        if os.path.basename(journal.path) in packed or not config["storage"]:
            os.remove(journal.path)


def close(config: Mapping[str, Any], now: float) -> None:
    """Close journals whose first line is too old, as on quiet hosts, and those above a limit that was lowered.

    The receiver is away for the moment in which they are renamed; hosts wait and send again.
    """
    opened = [one for one in journals(config["directory"]) if not one.closed]
    due = due_to_close(opened, now - config["file_hours"] * 3600, config["file_bytes"])
    if not due:
        return
    run(["systemctl", "stop", *config["units"]])
    try:
        for journal in due:
            os.rename(journal.path, os.path.join(config["directory"], journal.closed_name))
    finally:
        run(["systemctl", "start", *config["units"]])


def due_to_close(opened: Sequence[Journal], oldest: float, most: int) -> list[Journal]:
    """Open journals that are too old, or larger than a file may be: the receiver fills one that still has room."""
    return [one for one in opened if one.first < oldest or one.size > most + ROUNDED_BYTES]


def pack(archive: Archive, found: Sequence[Journal]) -> list[str]:
    """Store closed journals that are not yet in the archive; the names of all closed ones, which now are."""
    before = recorded()
    there = {os.path.basename(journal.path): journal for journal in found if journal.closed}
    names = [name for name in before["packed"] if name in there]
    for name in there.keys() - set(names):
        archive.store(there[name])
        names.append(name)
        record(names, before["complete"])  # if the next one fails, this one is not stored again
    return names


def record(packed: Sequence[str], complete: float) -> None:
    """Note which files are packed, and when that was last complete."""
    write_atomic(RECORD, json.dumps({"packed": packed, "complete": complete}).encode(), 0o644)


def recorded() -> dict[str, Any]:
    """What was packed; nothing before the first time."""
    return {"packed": [], "complete": 0.0, **read_json(RECORD)}


def surplus(closed: Sequence[Journal], oldest: float, most: int) -> list[Journal]:
    """Journals, oldest first, that are too old or more than this size; the receiver looks only when it closes one."""
    size, found = sum(journal.size for journal in closed), []
    for journal in closed:
        if size > most or journal.last < oldest:
            found.append(journal)
            size -= journal.size
    return found


if __name__ == "__main__":
    main(sys.argv[1])
