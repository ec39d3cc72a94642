"""The proof that backups can be restored: the last one of each kind is restored to a scratch place and compared."""

import sys
import time
from collections.abc import Mapping

from nexus.agent.lib import RemoteError
from roles.backup.host import record
from roles.backup.host.kind import Kind, Record
from roles.backup.host.vault import Config, Vault, digest
from roles.backup.host.vault import scratch as room

KIND = "restore_test"


class Damage(RemoteError):
    """A backup that does not come back; `known` goes into the record."""

    def __init__(self, found: Record) -> None:
        super().__init__("; ".join([*found["proof"]["damaged"], *found["proof"]["differences"]])[:2000])
        self.known = found


def main(config: Config, known: Mapping[str, Kind], here: bool) -> int:
    """0 when the last backups of all kinds came back as they were saved, or when it is another host's turn."""
    if not here and config["host"] != tester(config, known):
        print(f"{KIND}: another host's turn")
        return 0
    vault = Vault(config)
    found = record.recorded(config, vault, KIND, lambda: prove(config, vault, known))
    if found["ok"]:
        proof = found["proof"]
        held = f"{proof['databases']} databases, {proof['tables']} tables, {proof['rows']} rows as they were saved"
        print(f"{KIND}: {proof['backup']}: {held}; {', '.join(proof['files'])} too ({proof['seconds']} s)")
        return 0
    print(f"{KIND}: FAILED: {found['error']}", file=sys.stderr)
    for name in found.get("proof", {}).get("damaged", []):
        print(f"{KIND}: damaged: {name}", file=sys.stderr)
    return 1


def tester(config: Config, known: Mapping[str, Kind]) -> str:
    """The host whose turn it is, as the kind says whose hosts make the test."""
    for name, kind in known.items():
        if kind.tester and name in config["kinds"]:
            return kind.tester(config)
    raise RemoteError(f"{config['host']} has nothing that a restore test could be made with")


def prove(config: Config, vault: Vault, known: Mapping[str, Kind]) -> Record:
    """Restore and compare everything; Damage with all that was found where something did not come back."""
    began = time.monotonic()
    proof: Record = {"databases": 0, "tables": 0, "rows": 0, "files": [], "differences": [], "damaged": []}
    proof |= {"backup": "", "backup_finished_at": ""}
    found: Record = {"type": "test", "label": "", "bytes": 0, "proof": proof}
    for name, kind in known.items():
        saved = record.last_ok(config, vault, name)
        here = name in config["kinds"]
        if kind.prove and here:
            kind.prove(config, saved, found)
        elif not kind.prove and saved.get("label") and (here or not kind.check_here):
            file(vault, name, kind, saved, proof)
    proof["seconds"] = round(time.monotonic() - began, 1)
    if proof["differences"] or proof["damaged"]:
        raise Damage(found)
    return found


def file(vault: Vault, name: str, kind: Kind, saved: Record, proof: Record) -> None:
    """One kind that is kept as a file."""
    with room() as directory:
        path = f"{directory}/file"
        try:
            vault.load(saved["label"], path)
            if saved.get("holds", {}).get("sha256") in (None, digest(path)):
                proof["differences"] += kind.check(saved, path)
            else:
                proof["differences"].append(f"{saved['label']}: its content is not what was saved")
            proof["files"].append(name)
        except RemoteError as error:
            proof["damaged"].append(saved["label"])
            proof["differences"].append(f"{name}: {error}")
