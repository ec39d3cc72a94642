"""The proof that backups come back: the last of each kind is restored beside the real ones, and compared.

PostgreSQL is replayed from point to point of its log, one for each database that was counted there, so the
comparison is exact although the platform went on writing while it was counted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from roles.backup.program import contents, environment, mongodb, postgresql, rabbitmq, record, redis
from roles.backup.program.scratch import PORT, Scratch, scratch
from roles.backup.program.session import Session
from roles.backup.program.vault import Config, Vault
from roles.backup.program.vault import scratch as room
from roles.kit.agent.base import RemoteError
from roles.postgresql.rest import Patroni

Record = dict[str, Any]
KIND = "restore_test"
FILES: dict[str, Callable[[Record, str], list[str]]] = {
    "redis": redis.check,
    "rabbitmq": rabbitmq.check,
    "mongodb": mongodb.check,
    "environment": environment.check,
}
NEEDS = {"redis": "redis-server"}  # programs that only hosts of the store have


class Damage(RemoteError):
    """A backup that does not come back; `known` goes into the record."""

    def __init__(self, found: Record) -> None:
        super().__init__("; ".join([*found["proof"]["damaged"], *found["proof"]["differences"]])[:2000])
        self.known = found


def main(config: Config, here: bool) -> int:
    """0 when the last backups of all kinds came back as they were saved, or when it is another host's turn."""
    if not here and config["host"] != tester(config):
        print(f"{KIND}: another host's turn")
        return 0
    vault = Vault(config)
    found = record.recorded(config, vault, KIND, lambda: prove(config, vault))
    if found["ok"]:
        proof = found["proof"]
        held = f"{proof['databases']} databases, {proof['tables']} tables, {proof['rows']} rows as they were saved"
        print(f"{KIND}: {proof['backup']}: {held}; {', '.join(proof['files'])} too ({proof['seconds']} s)")
        return 0
    print(f"{KIND}: FAILED: {found['error']}", file=sys.stderr)
    for name in found.get("proof", {}).get("damaged", []):
        print(f"{KIND}: damaged: {name}", file=sys.stderr)
    return 1


def tester(config: Config) -> str:
    """The host whose turn it is: the last member that is not primary, so that the primary is left in peace."""
    members: list[str] = list(config["postgresql"]["members"])
    primary = Patroni(config["postgresql"]).primary()
    others = [name for name in members if name != primary]
    return others[-1] if others else members[0]


def prove(config: Config, vault: Vault) -> Record:
    """Restore and compare everything; Damage with all that was found where something did not come back."""
    began = time.monotonic()
    proof: Record = {"databases": 0, "tables": 0, "rows": 0, "files": [], "differences": [], "damaged": []}
    saved = record.last_ok(config, vault, "postgresql")
    proof["backup"] = saved.get("label", "")
    proof["backup_finished_at"] = saved.get("ok_at", "")
    if not saved.get("holds"):
        proof["differences"].append("postgresql: there is no backup with a record of what it holds")
    else:
        try:
            databases(config, saved, proof)
        except RemoteError as error:
            proof["damaged"] += postgresql.damaged(config)
            proof["differences"].append(f"postgresql {saved['label']}: {error}")
    for kind, check in FILES.items():
        files(config, vault, kind, check, proof)
    proof["seconds"] = round(time.monotonic() - began, 1)
    found = {"type": "test", "label": proof["backup"], "bytes": saved.get("database_bytes", 0), "proof": proof}
    if proof["differences"] or proof["damaged"]:
        raise Damage(found)
    return found


def databases(config: Config, saved: Record, proof: Record) -> None:
    """PostgreSQL: each database at its own point, in the order of the log."""
    needed = saved["database_bytes"] * config["room_percent"] / 100
    with scratch(config, "test", needed) as copy:
        first = saved["points"][0]["name"]
        copy.restore([f"--set={saved['label']}", "--type=name", f"--target={first}", "--target-action=pause"])
        for point in saved["points"]:
            copy.start(point=point["name"])
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


def files(config: Config, vault: Vault, kind: str, check: Callable[[Record, str], list[str]], proof: Record) -> None:
    """One kind that is kept as a file."""
    saved = record.last_ok(config, vault, kind)
    if not saved.get("label") or (kind in NEEDS and kind not in config["kinds"]):
        return
    with room() as directory:
        path = f"{directory}/file"
        try:
            vault.load(saved["label"], path)
            proof["differences"] += check(saved, path)
            proof["files"].append(kind)
        except RemoteError as error:
            proof["damaged"].append(saved["label"])
            proof["differences"].append(f"{kind}: {error}")

