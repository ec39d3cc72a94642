"""Runs on a host: what it can say of itself and of the clusters that it is in. Changes nothing."""

from __future__ import annotations

import glob
import json
import os
import time
from collections.abc import Callable, Mapping
from threading import Thread
from typing import Any

from roles.functional.remote import probe as functional
from roles.health.remote import probe as services
from roles.kit.agent.base import RemoteError, run
from roles.status.shown import certificates
from roles.status.stores import etcd, postgresql, rabbitmq, redis
from roles.swarm.standing import standing

Item = Mapping[str, Any]
Answer = dict[str, Any]
BACKUP = "/var/lib/nexus-cos/backup"
DATA = ("/", "/var/log")
BELOW = ("/var/lib/", "/srv/")  # what is mounted there holds data, except what an engine mounts for containers
ENGINE = ("/var/lib/docker/", "/run/")


def probe(names: list[str], context: Item) -> dict[str, Answer]:
    """{part: what it says, or {"error": why it does not}}, all parts side by side."""
    found: dict[str, Answer] = {}
    workers = [Thread(target=ask, args=(name, context, found), daemon=True) for name in names]
    deadline = time.monotonic() + context["seconds"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(max(0.0, deadline - time.monotonic()))
    silent = {"error": f"no answer within {context['seconds']} s"}
    return {name: found.get(name, silent) for name in names}


def ask(name: str, context: Item, found: dict[str, Answer]) -> None:
    """One part's answer into `found`."""
    try:
        found[name] = PARTS[name](context.get(name, {}))
    except Exception as error:  # whatever is wrong with a part is its answer
        text = str(error) if isinstance(error, RemoteError | OSError) else f"{type(error).__name__}: {error}"
        found[name] = {"error": " ".join(text.split())[:300]}


def host(context: Item) -> Answer:
    """Filesystems that hold data, in percent as df counts, and units that failed."""
    with open("/proc/self/mounts") as stream:
        mounts = [line.split()[1] for line in stream]
    paths = [path for path in mounts if path.startswith(BELOW) and not path.startswith(ENGINE)]
    disks: dict[int, Answer] = {}
    for path in (*DATA, *sorted(paths)):
        figures = os.statvfs(path)
        used = figures.f_blocks - figures.f_bfree
        percent = 100 * used / max(1, used + figures.f_bavail)
        free = figures.f_bavail * figures.f_frsize
        disks.setdefault(os.stat(path).st_dev, {"path": path, "used_percent": percent, "free_bytes": free})
    failed = run(["systemctl", "list-units", "--failed", "--plain", "--no-legend"]).splitlines()
    return {"disks": list(disks.values()), "failed": [line.split()[0] for line in failed if line.split()]}


def backup(context: Item) -> Answer:
    """{kind: what the last run of its kind on this host wrote down}."""
    found = {}
    for path in glob.glob(f"{BACKUP}/*.json"):
        with open(path) as stream:
            told = json.load(stream)
        if "finished_at" not in told:  # the backup's own, not a record
            continue
        told.pop("holds", None)
        found[os.path.basename(path).removesuffix(".json")] = told
    return found


PARTS: dict[str, Callable[[Item], Answer]] = {
    "host": host,
    "certificates": certificates,
    "backup": backup,
    "etcd": etcd,
    "postgresql": postgresql,
    "redis": redis,
    "rabbitmq": rabbitmq,
    "swarm": standing,
    "services": lambda context: services([], dict(context)),
    "functional": lambda context: functional([], context),
}
