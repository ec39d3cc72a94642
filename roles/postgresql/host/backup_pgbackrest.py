"""pgBackRest as the backup program calls it: its backups, and what is damaged of them."""

import json
import re

from nexus.agent.lib import RemoteError
from roles.backup.host.kind import Record
from roles.backup.host.vault import Config
from roles.postgresql.host.backup_stanza import call, system

SECONDS = 24 * 3600  # a backup that takes longer is none
NO_STANZA = "has a stanza-create been performed?"  # a hint of pgBackRest
DAMAGED = re.compile(r"'((?:\d{8}-\d{6}F|\d+-\d+/)[^']*)'")  # LABEL/pg_data/... or VERSION-ID/segment


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


def back_up(config: Config, type_: str) -> None:
    """Make a backup of a type (full, diff, incr). In an empty repository, of a new server, the stanza is made first."""
    try:
        pgbackrest(config, ["--type", type_, "backup"])
    except RemoteError as error:
        if NO_STANZA not in str(error):
            raise
        pgbackrest(config, ["stanza-create"])  # it refuses the repository of another cluster
        pgbackrest(config, ["--type", "full", "backup"])


def backups(config: Config) -> list[Record]:
    """Backups in the bucket, oldest first, as pgBackRest tells them."""
    found = json.loads(pgbackrest(config, ["--output=json", "info"], console="warn"))
    return list(found[0]["backup"]) if found else []


def listed(config: Config) -> dict[str, object]:
    """What there is to bring back, and whether it is this cluster's: its identifier, and that of the saved one."""
    return {
        "postgresql": [
            {"label": backup["label"], "type": backup["type"], "stop": backup["timestamp"]["stop"]}
            for backup in backups(config)
        ],
        "system": system(config["postgresql"]["data"]),
        "saved_system": saved_system(config),
    }


def saved_system(config: Config) -> int:
    """The identifier of the cluster that the bucket holds; 0 where it holds none."""
    told = json.loads(pgbackrest(config, ["--output=json", "info"], console="warn"))
    systems = [entry["system-id"] for known in told for entry in known.get("db", [])]
    return int(systems[-1]) if systems else 0


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
