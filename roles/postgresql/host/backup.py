"""PostgreSQL's backups: pgBackRest at whichever member is primary, and what the databases held just after."""

import time

from roles.backup.host.kind import Acts, Kind, Record
from roles.backup.host.vault import Config, Vault
from roles.postgresql.host import backup_cluster as cluster
from roles.postgresql.host import backup_contents as contents
from roles.postgresql.host import backup_database as database
from roles.postgresql.host.backup_log import archived, flush
from roles.postgresql.host.backup_pgbackrest import back_up, backups, listed
from roles.postgresql.host.backup_proof import prove, tester
from roles.postgresql.host.backup_session import Session
from roles.postgresql.host.backup_stanza import system
from roles.postgresql.host.patroni_api import Patroni
from roles.postgresql.host.planned import BACKUP_TITLE, BACKUP_TYPES

HOURS = 3600
LATE_SECONDS = 10 * 60  # a timer that fires a little early makes the backup all the same
ACTS: Acts = {
    "copy-database": (("name", "owner", "to", "into"), database.copy),
    "save-database": (("name",), database.save),
    "swap-database": (("name", "copy", "aside", "service"), database.swap),
    "copy-cluster": (("to",), cluster.copy),
    "drop-copy": ((), cluster.drop_copy),
    "stop": ((), cluster.stop),
    "place": (("aside",), cluster.place),
    "follow": ((), cluster.follow),
}


def is_primary(config: Config) -> bool:
    """Whether this host's server is the one that is written to, as Patroni says."""
    postgresql = config["postgresql"]
    return Patroni(postgresql).ask(config["host"], "GET", "/primary")[0] == 200


def save(config: Config, vault: Vault, type_: str = "") -> Record:
    """Make a backup of a type (full, diff, incr; what is due if empty), and count what the databases hold."""
    back_up(config, type_ or due(config))
    found = backups(config)[-1]
    held, points, exact = hold(config, found["label"])
    return {
        "type": found["type"],
        "label": found["label"],
        "bytes": found["info"]["repository"].get("delta", 0),
        "database_bytes": found["info"]["size"],
        "wal_archived_at": archived(config),
        "system": system(config["postgresql"]["data"]),
        "points": points,
        "exact": exact,
        "holds": held,
    }


def due(config: Config) -> str:
    """The type of backup whose time has come."""
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


KIND = Kind(
    is_saver=is_primary,
    save=save,
    prefixes=("safety/",),  # pgBackRest looks after its own
    prove=prove,
    listed=listed,
    acts=ACTS,
    tester=tester,
    title=BACKUP_TITLE,
    types=BACKUP_TYPES,
)
