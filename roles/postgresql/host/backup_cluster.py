"""Restore all of PostgreSQL: first as a copy next to the running one, which the copy can then replace."""

import contextlib
import os
import re
import shutil

from nexus.agent.lib import RemoteError, run
from nexus.agent.wait import tries
from roles.backup.host.vault import Config
from roles.postgresql.host import backup_contents as contents
from roles.postgresql.host.backup_pgbackrest import backups
from roles.postgresql.host.backup_scratch import PORT, Scratch
from roles.postgresql.host.backup_session import Session
from roles.postgresql.host.patroni_api import Patroni

LATEST = "latest"
COPY = "cluster"
RECOVERY = re.compile(r"^\s*(restore_command|recovery_target\w*)\s*=")
UNIT = "patroni"
STOP_SECONDS = 180
START_SECONDS = 300
COPY_SECONDS = 4 * 3600


def target(to: str) -> list[str]:
    """pgBackRest's words for a moment: "latest", or UTC as 2026-11-22T19:00:00Z."""
    if to == LATEST:
        return ["--type=default"]
    when = to.replace("T", " ").replace("Z", "+00")
    return ["--type=time", f"--target={when}", "--target-action=promote"]


def copy(config: Config, to: str) -> None:
    """The cluster as it was at a moment, in a directory of its own: replayed, counted, and stopped in order."""
    found = Scratch(config, COPY)
    saved = backups(config)
    if not saved:
        raise RemoteError(
            "the bucket has no backup of PostgreSQL: "
            "deploys/backup.py makes one; where there were some, look at storage_bucket"
        )
    found.prepare(saved[-1]["info"]["size"] * config["room_percent"] / 100)
    found.restore(target(to))
    found.start({"fsync": "on"})
    found.wait_promoted()
    with Session(found.socket, PORT, "postgres") as session:
        names = session(contents.DATABASES)
        last = session("select coalesce(pg_last_xact_replay_timestamp()::text, 'unknown')")[0]
    tables = rows = 0
    for name in names:
        with Session(found.socket, PORT, name) as session:
            held = contents.count(session, contents.tables(session), 0)
        tables, rows = tables + len(held), rows + sum(table["rows"] for table in held.values())
    found.stop()
    clean(found.data)
    print(f"copy in {found.data}: {len(names)} databases, {tables} tables, {rows} rows; last transaction {last}")


def drop_copy(config: Config) -> None:
    """Take the copy away."""
    Scratch(config, COPY).remove()


def stop(config: Config) -> None:
    """End this host's member, so that nobody writes to what is about to be replaced."""
    run(["systemctl", "stop", UNIT], timeout=STOP_SECONDS)
    print(f"{config['host']}: PostgreSQL stopped")


def place(config: Config, aside: str) -> None:
    """Move the old data aside, put the copy in its place and start it as primary of a new cluster."""
    data, copied = config["postgresql"]["data"], Scratch(config, COPY).data
    if not os.path.exists(f"{copied}/PG_VERSION"):
        raise RemoteError(f"{copied} holds no copy: deploys/restore.py without replace=true makes one")
    if os.path.exists(data):
        os.rename(data, f"{data}.{aside}")
        print(f"{config['host']}: what was there is in {data}.{aside}")
    os.rename(copied, data)
    run(["systemctl", "start", UNIT])
    patroni = Patroni(config["postgresql"])
    for _ in tries(START_SECONDS, pause=1):
        if patroni.ask(config["host"], "GET", "/primary")[0] == 200:
            print(f"{config['host']}: primary with the restored data")
            return
    told = patroni.states().get(config["host"], {})
    raise RemoteError(f"{config['host']} did not become primary: {told}; the journal of {UNIT} says why")


def follow(config: Config) -> None:
    """Start this host's member without data, so that it copies the primary's."""
    shutil.rmtree(config["postgresql"]["data"], ignore_errors=True)
    run(["systemctl", "start", UNIT])
    patroni = Patroni(config["postgresql"])
    for _ in tries(COPY_SECONDS, pause=1):
        told = patroni.states().get(config["host"], {})
        if told.get("replication_state") == "streaming":
            print(f"{config['host']}: replica of the restored data")
            return
    why = f"{told}; the journal of {UNIT} there says why"
    raise RemoteError(f"{config['host']} does not stream from the primary: {why}")


def clean(data: str) -> None:
    """Take out what only the replay needed: as a replica later on, the server would stop at the same point."""
    path = f"{data}/postgresql.auto.conf"
    with contextlib.suppress(FileNotFoundError):
        with open(path, errors="replace") as stream:
            lines = [line for line in stream if not RECOVERY.match(line)]
        with open(path, "w") as stream:
            stream.writelines(lines)
    for name in ("recovery.signal", "standby.signal"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{data}/{name}")
