"""The proof that a backup of PostgreSQL comes back: restored into a copy of its own, and compared.

The copy is replayed from point to point of the log, one for each database that was counted there, so the
comparison is exact although the platform continued to write while it was counted.
"""

from nexus.agent.lib import RemoteError
from roles.backup.host.kind import Record
from roles.backup.host.vault import Config
from roles.postgresql.host import backup_contents as contents
from roles.postgresql.host.backup_pgbackrest import damaged
from roles.postgresql.host.backup_scratch import PORT, Scratch, scratch
from roles.postgresql.host.backup_session import Session
from roles.postgresql.host.patroni_api import Patroni


def tester(config: Config) -> str:
    """The host whose turn it is: the last member that is not primary, so that the primary is left in peace."""
    members: list[str] = list(config["postgresql"]["members"])
    primary = Patroni(config["postgresql"]).primary()
    others = [name for name in members if name != primary]
    return others[-1] if others else members[0]


def prove(config: Config, saved: Record, found: Record) -> None:
    """Restore the backup of a record and compare all databases with it; what was found goes into the test's record."""
    proof = found["proof"]
    proof["backup"] = found["label"] = saved.get("label", "")
    proof["backup_finished_at"] = saved.get("ok_at", "")
    found["bytes"] = saved.get("database_bytes", 0)
    if not saved.get("holds"):
        proof["differences"].append("postgresql: there is no backup with a record of what it holds")
        return
    try:
        databases(config, saved, proof)
    except RemoteError as error:
        proof["damaged"] += damaged(config)
        proof["differences"].append(f"postgresql {saved['label']}: {error}")


def databases(config: Config, saved: Record, proof: Record) -> None:
    """PostgreSQL: each database at its own point, in the order of the log."""
    needed = saved["database_bytes"] * config["room_percent"] / 100
    with scratch(config, "test", needed) as copy:
        first = saved["points"][0]["name"]
        copy.restore([f"--set={saved['label']}", "--type=name", f"--target={first}", "--target-action=pause"])
        for point in saved["points"]:
            copy.start({"hot_standby": "on"}, point=point["name"])
            copy.wait_paused()
            for name in point["databases"]:
                compare(copy, name, saved["holds"][name]["tables"], proof, config["postgresql"]["checksum_rows"])
            copy.stop()


def compare(copy: Scratch, name: str, wanted: Record, proof: Record, most: int) -> None:
    """Tables that were counted; those made since are nobody's business."""
    proof["databases"] += 1
    with Session(copy.socket, PORT, name) as session:
        there = contents.tables(session)
        sizes = {table: 0 if wanted[table]["checksum"] else most + 1 for table in wanted if table in there}
        found = contents.count(session, sizes, most)
    for table, held in wanted.items():
        proof["tables"] += 1
        if table not in found:
            proof["differences"].append(f"{name}: {table} is missing")
        elif found[table] != held:
            now, then = found[table]["rows"], held["rows"]
            what = f"{now} rows, {then} were saved" if now != then else "rows are not those that were saved"
            proof["differences"].append(f"{name}: {table}: {what}")
        else:
            proof["rows"] += held["rows"]
