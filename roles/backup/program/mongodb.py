"""MongoDB's dumps, by the vendor's own tools, which come with its server."""

from __future__ import annotations

import json
from typing import Any

from roles.backup.program.vault import Config, Vault, digest, scratch
from roles.kit.agent.base import RemoteError, run

Record = dict[str, Any]
SECONDS = 4 * 3600


def is_primary(config: Config) -> bool:
    """Whether this host's server takes writes."""
    return _shell(config, "print(db.hello().isWritablePrimary)").strip() == "true"


def save(config: Config, vault: Vault) -> Record:
    """All databases as one archive, encrypted and stored."""
    counted = json.loads(_shell(config, COUNT))
    with scratch() as directory:
        path = f"{directory}/dump.archive"
        _with_login(config, directory, ["mongodump", f"--archive={path}", "--gzip"])
        key, size, found = vault.save("mongodb", "dump.archive", path)
    return {"type": "full", "label": key, "bytes": size, "holds": {**counted, "sha256": found}}


def load(config: Config, path: str) -> None:
    """Bring all collections of an archive back in place of those that are there."""
    with scratch() as directory:
        _with_login(config, directory, ["mongorestore", f"--archive={path}", "--gzip", "--drop"])


def check(record: Record, path: str) -> list[str]:
    """What differs between an archive and what was recorded of it."""
    same = digest(path) == record["holds"]["sha256"]
    return [] if same else [f"{record['label']}: its content is not what was saved"]


COUNT = (
    "const found = {}; db.adminCommand({listDatabases: 1, nameOnly: true}).databases.map(d => d.name)"
    ".filter(n => !['admin', 'config', 'local'].includes(n)).forEach(n => { const own = db.getSiblingDB(n); "
    "found[n] = Object.fromEntries(own.getCollectionNames().map(c => [c, own[c].countDocuments()])) }); "
    "print(JSON.stringify(found))"
)


def _shell(config: Config, script: str) -> str:
    mongodb = config["mongodb"]
    login = f"db.getSiblingDB('admin').auth({json.dumps(mongodb['user'])}, {json.dumps(mongodb['password'])});"
    address = f"{mongodb['address']}:{mongodb['port']}"
    argv = ["mongosh", "--quiet", "--norc", "--tls", "--tlsCAFile", mongodb["ca"], f"mongodb://{address}/admin"]
    return run([*argv, "--file", "/dev/stdin"], input=f"{login}\n{script}\n", timeout=60)


def _with_login(config: Config, directory: str, words: list[str]) -> None:
    """Run a tool that reads its password from a file, so that no list of processes shows it."""
    mongodb = config["mongodb"]
    with open(f"{directory}/login.yaml", "w") as stream:
        stream.write(f"password: {json.dumps(mongodb['password'])}\n")
    argv = [words[0], f"--config={directory}/login.yaml", f"--host={mongodb['address']}:{mongodb['port']}"]
    argv += [f"--username={mongodb['user']}", "--authenticationDatabase=admin", "--ssl", f"--sslCAFile={mongodb['ca']}"]
    try:
        run([*argv, *words[1:]], timeout=SECONDS)
    except RemoteError as error:
        raise RemoteError(f"MongoDB: {error}") from None
