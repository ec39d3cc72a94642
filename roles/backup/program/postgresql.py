"""PostgreSQL's backups: pgBackRest at whichever member is primary, and what the databases held just after."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from roles.backup.program import contents
from roles.backup.program.session import Session
from roles.backup.program.stanza import call, system
from roles.backup.program.vault import Config
from roles.kit.agent.base import RemoteError, run
from roles.postgresql.rest import Patroni

Record = dict[str, Any]
HOURS = 3600
SECONDS = 24 * HOURS  # a backup that takes longer is none
ARCHIVE_SECONDS = 120
DAMAGED = re.compile(r"'((?:\d{8}-\d{6}F|\d+-\d+/)[^']*)'")  # LABEL/pg_data/... or VERSION-ID/segment
LATE_SECONDS = 10 * 60  # a timer that fires a little early makes the backup all the same


def is_primary(config: Config) -> bool:
    """Whether this host's server is the one that is written to, as Patroni says."""
    postgresql = config["postgresql"]
    return Patroni(postgresql).ask(config["host"], "GET", "/primary")[0] == 200


def save(config: Config, kind: str = "") -> Record:
    """Make a backup of a kind (full, diff, incr; what is due if empty), and count what the databases hold."""
    postgresql = config["postgresql"]
    kind = kind or due(config)
    pgbackrest(config, ["--type", kind, "backup"])
    found = backups(config)[-1]
    held, points, exact = hold(config, found["label"])
    return {
        "type": found["type"],
        "label": found["label"],
        "bytes": found["info"]["repository"].get("delta", 0),
        "database_bytes": found["info"]["size"],
        "wal_archived_at": archived(config),
        "system": system(postgresql["data"]),
        "points": points,
        "exact": exact,
        "holds": held,
    }


def due(config: Config) -> str:
    """The kind of backup whose time has come."""
    ages: dict[str, float] = {}
    for backup in backups(config):
        if not backup.get("error"):
            ages[backup["type"]] = time.time() - backup["timestamp"]["stop"]
    full, postgresql = ages.get("full"), config["postgresql"]
    if full is None or full > postgresql["full_hours"] * HOURS - LATE_SECONDS:
        return "full"
    since = min(full, ages.get("diff", full))
    return "diff" if since > postgresql["differential_hours"] * HOURS - LATE_SECONDS else "incr"


def hold(config: Config, label: str) -> tuple[Record, list[Record], bool]:
    """What each database holds, each at a point of its own in the log, in the order of these points."""
    socket, port = config["postgresql"]["socket"], config["postgresql"]["port"]
    most = config["postgresql"]["checksum_rows"]
    held: Record = {}
    points: list[Record] = []
    exact = True
    with Session(socket, port, "postgres") as session:
        names = session(contents.DATABASES)
        for name in names:
            with Session(socket, port, name) as own:
                filled = contents.tables(own)
            held[name] = {"tables": {}}
            if filled:
                point = f"{label} {name}"[:60]
                held[name]["tables"], same = contents.at_point(socket, port, name, point, most)
                exact = exact and same
                points.append({"name": point, "databases": [name]})
        end = f"{label} end"
        session(f"select pg_create_restore_point('{end}')")
        points.append({"name": end, "databases": [name for name in names if not held[name]["tables"]]})
        flush(session)
    return held, points, exact


def flush_commit(config: Config) -> None:
    """Have all that was acknowledged up to now archived, and a commit after it for a replay to stop at."""
    with Session(config["postgresql"]["socket"], config["postgresql"]["port"], "postgres") as session:
        session("select pg_current_xact_id()")
        flush(session)


def flush(session: Session) -> None:
    """Have the log archived up to here; RemoteError when that does not happen in time."""
    wanted = session("select pg_walfile_name(pg_switch_wal())")[0]
    deadline = time.monotonic() + ARCHIVE_SECONDS
    told = "select coalesce(last_archived_wal, ''), coalesce(last_failed_wal, '') from pg_stat_archiver"
    while True:
        done, failed = session(told)[0].split("|")
        if done[:24] >= wanted:
            return
        if time.monotonic() > deadline:
            raise RemoteError(
                f"the log {wanted} was not archived within {ARCHIVE_SECONDS} s (last archived: {done or 'none'}, last "
                f"that failed: {failed or 'none'}): the journal of patroni says why, as does `pgbackrest check`"
            )
        time.sleep(0.5)


def archived(config: Config) -> str:
    """When the last segment of the log was archived, UTC."""
    with Session(config["postgresql"]["socket"], config["postgresql"]["port"], "postgres") as session:
        shape = "YYYY-MM-DD\"T\"HH24:MI:SS\"Z\""
        return str(session(f"select coalesce(to_char(last_archived_time, '{shape}'), '') from pg_stat_archiver")[0])


def backups(config: Config) -> list[Record]:
    """Backups in the bucket, oldest first, as pgBackRest tells them."""
    found = json.loads(pgbackrest(config, ["--output=json", "info"], console="warn"))
    return list(found[0]["backup"]) if found else []


def damaged(config: Config) -> list[str]:
    """Files of the repository that are not what was saved, each with the object of the bucket that it lies in.

    Reads the whole repository, so it is asked once something did not come back.
    """
    told = pgbackrest(config, ["--output=text", "--verbose", "verify"], failing=True)
    return [f"{name} in {_object(config, name)}" for name in dict.fromkeys(DAMAGED.findall(told))]


def _object(config: Config, name: str) -> str:
    """Key of the object that holds a file of a backup: small ones lie in bundles."""
    repository, stanza = config["postgresql"]["repository"], config["postgresql"]["stanza"]
    label, _, path = name.partition("/")
    if "F" not in label:
        return f"{repository}/archive/{stanza}/{name}"
    manifest = pgbackrest(config, ["repo-get", f"backup/{stanza}/{label}/backup.manifest"], console="warn")
    for line in manifest.splitlines():
        if line.startswith(f"{path.rsplit('.', 1)[0]}=") and '"bni":' in line:
            bundle = json.loads(line.split("=", 1)[1])["bni"]
            return f"{repository}/backup/{stanza}/{label}/bundle/{bundle}"
    return f"{repository}/backup/{stanza}/{name}"


def pgbackrest(config: Config, words: list[str], console: str = "info", failing: bool = False) -> str:
    """Output of pgBackRest as postgres, with its errors where it may fail; else RemoteError with these."""
    levels = [f"--log-level-console={console}", "--log-level-stderr=warn"]
    done = call(config["postgresql"]["stanza"], *levels, *words, seconds=SECONDS)
    if failing:
        return f"{done.stdout}\n{done.stderr}"
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or done.stdout.splitlines()
        raise RemoteError(f"pgbackrest {words[-1]} ended with {done.returncode}: " + "\n".join(lines[-20:]))
    return str(done.stdout)


def psql(config: Config, database: str, statement: str) -> list[str]:
    """One statement at this host's server."""
    with Session(config["postgresql"]["socket"], config["postgresql"]["port"], database) as session:
        return session(statement)


def free_bytes(directory: str) -> int:
    """Room that is left beside a directory."""
    return int(run(["df", "--output=avail", "-B1", directory]).split()[1])
