"""On a host with backups of PostgreSQL: which cluster's log the bucket takes. Standard library."""

import json
import os
from typing import Any

from nexus.agent.change import Change
from nexus.agent.file import read_json, write_atomic
from nexus.agent.lib import RemoteError, run
from nexus.agent.wait import wait_until
from roles.postgresql.host.backup_stanza import system

Item = dict[str, Any]
MISMATCH = "do not match"
CHECK_SECONDS = 180
STOP_DIRECTORY = "/tmp/pgbackrest"
STOPPED = (
    "pgBackRest is stopped here ({path}), so PostgreSQL's log is not archived and fills the disk. When that "
    "is no longer wanted, run there: runuser -u postgres -- pgbackrest --stanza={stanza} start (without --stanza if "
    "all were stopped)"
)


def probe(names: list[str], context: Item) -> dict[str, Item]:
    """Read only small files of this host: a run without changes needs no program and no network."""
    if stopped := [path for path in stop_files(context) if os.path.exists(path)]:
        return {"stanza": {"obstacle": STOPPED.format(path=stopped[0], stanza=context["stanza"])}}
    own = system(context["data"])
    mark = read_json(marker(context))
    ours = mark.get("system") == own and mark.get("where") == context["where"]
    return {"stanza": {"ours": True}} if own and ours else {}


def apply(change: Change) -> None:
    """Make the repository this cluster's."""
    context = change.context
    late = f"{context['data']} has no data after {context['wait_seconds']} s: see patroni's journal"
    own = wait_until(lambda: system(context["data"]), context["wait_seconds"], late, pause=1)
    first = not read_json(marker(context))
    if in_recovery(context):
        wait_made(context, own)
    else:
        make(context)
        pgbackrest(context, "check")
    write_atomic(marker(context), json.dumps({"system": own, "where": context["where"]}).encode())
    if first:
        run(["systemctl", "start", "--no-block", context["service"]])


def stop_files(context: Item) -> tuple[str, str]:
    """Files that `pgbackrest stop` leaves: while one is there, no log is archived and no backup is made."""
    return f"{STOP_DIRECTORY}/{context['stanza']}.stop", f"{STOP_DIRECTORY}/all.stop"


def make(context: Item) -> None:
    """Create the repository for this cluster, but never in place of another cluster's."""
    try:
        pgbackrest(context, "stanza-create")
    except RemoteError as error:
        if MISMATCH not in str(error):
            raise
        raise foreign(context) from None


def foreign(context: Item) -> RemoteError:
    """The error if the repository is another cluster's, on the primary and on every host that waits for it."""
    return RemoteError(
        f"{context['where']} holds backups of another PostgreSQL cluster than the one that runs now, so nothing is "
        "archived. To restore the saved cluster: pyinfra inventory deploys/restore.py --data replace=true. To "
        'keep it and begin a new series next to it: backup_series = "NAME" in group_data'
    )


def wait_made(context: Item, own: int) -> None:
    """Wait until the primary has made the repository; stop if the repository is another cluster's."""
    late = f"the primary made no repository for its log in {context['where']}: see the error of its host"
    if own not in wait_until(lambda: systems(context), context["wait_seconds"], late, pause=2, role="backup"):
        raise foreign(context)


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
    return run(["pgbackrest", *words, f"--stanza={context['stanza']}"], user="postgres", timeout=CHECK_SECONDS)


def marker(context: Item) -> str:
    return f"{context['records']}/stanza"
