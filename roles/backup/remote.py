"""On a host that makes backups: whose log the bucket takes, and the secrets file that is saved. Standard library."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from roles.backup.program.stanza import call, system
from roles.kit.agent.base import RemoteError, digest, run

Item = dict[str, Any]
NO_STANZA, MISMATCH = "does not exist", "do not match"
CHECK_SECONDS = 180


def probe(names: list[str], context: Item) -> dict[str, Item]:
    """From small files of this host alone: a run without changes asks no program and no network."""
    if context["about"] == "secrets":
        content = read(f"{context['path']}.json")
        there = content.get("file") == digest(context["path"])
        return {"secrets": {"content": content["content"]}} if content and there else {}
    own = system(context["data"])
    mark = read(marker(context))
    ours = mark.get("system") == own and mark.get("where") == context["where"]
    return {"stanza": {"ours": True}} if own and ours else {}


def apply(items: Item, changed: list[str], removed: list[str], context: Item, payload: Item) -> None:
    """Keep the secrets file; or make the repository this cluster's."""
    from roles.kit.agent.file import write_atomic  # sent with steps alone

    if context["about"] == "secrets":
        write_atomic(context["path"], base64.b64decode(context["file"]))
        mark = {"content": items["secrets"]["content"], "file": digest(context["path"])}
        write_atomic(f"{context['path']}.json", json.dumps(mark).encode())
        return
    deadline = time.monotonic() + context["wait_seconds"]
    while not (own := system(context["data"])):
        if time.monotonic() > deadline:
            raise RemoteError(f"{context['data']} has no data after {context['wait_seconds']} s: see patroni's journal")
        time.sleep(1)
    first = not read(marker(context))
    if in_recovery(context):
        wait_made(context, own, deadline)
    else:
        make(context)
        pgbackrest(context, "check")
    write_atomic(marker(context), json.dumps({"system": own, "where": context["where"]}).encode())
    if first:
        run(["systemctl", "start", "--no-block", context["service"]])


def make(context: Item) -> None:
    """The repository for this cluster; never in place of another cluster's."""
    try:
        pgbackrest(context, "stanza-create")
    except RemoteError as error:
        if MISMATCH not in str(error):
            raise
        raise RemoteError(
            f"{context['where']} holds backups of another PostgreSQL cluster than the one that runs now, so nothing is "
            "archived. To bring the saved one back: pyinfra inventory deploys/restore.py --data replace=true. To "
            "leave it there and begin a new series beside it: backup_begin_anew = \"NAME\" in group_data"
        ) from None


def wait_made(context: Item, own: int, deadline: float) -> None:
    """Until the primary has made the repository."""
    while own not in systems(context):
        if time.monotonic() > deadline:
            raise RemoteError(f"the primary made no repository for its log in {context['where']}: its host says why")
        time.sleep(2)


def systems(context: Item) -> list[int]:
    """Identifiers of the clusters that the repository has known."""
    found = json.loads(pgbackrest(context, "info", "--output=json"))
    return [entry["system-id"] for stanza in found for entry in stanza.get("db", [])]


def in_recovery(context: Item) -> bool:
    """Whether this host's server is a replica."""
    asked = ["psql", "-XAtq", "-h", "/run/postgresql", "-c", "select pg_is_in_recovery()", "postgres"]
    return run(asked, user="postgres").strip() == "t"


def pgbackrest(context: Item, *words: str) -> str:
    """Output of pgBackRest as postgres."""
    done = call(context["stanza"], *words, seconds=CHECK_SECONDS)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise RemoteError(f"pgbackrest {words[0]} ended with {done.returncode}: {said[:1500]}")
    return str(done.stdout)


def marker(context: Item) -> str:
    return f"{context['records']}/stanza"


def read(path: str) -> Item:
    """A small file of ours; empty when it is not there whole."""
    try:
        with open(path) as stream:
            found: Item = json.load(stream)
            return found
    except (OSError, ValueError):
        return {}
