"""MongoDB's dumps, by the vendor's own tools, which come with its server."""

import json

from nexus.agent.lib import RemoteError, run
from roles.backup.host.kind import Kind, Record
from roles.backup.host.vault import Config, Vault, scratch
from roles.mongodb.host.shell import shell

SECONDS = 4 * 3600
PRIMARY = "print(JSON.stringify({primary: login(alone(own)).hello().isWritablePrimary}));"
COUNT = """
const admin = login(alone(own));
const found = {};
for (const {name} of admin.adminCommand({listDatabases: 1, nameOnly: true}).databases) {
  if (["admin", "config", "local"].includes(name)) continue;
  const database = admin.getSiblingDB(name);
  const counts = database.getCollectionNames().map((each) => [each, database[each].countDocuments()]);
  found[name] = Object.fromEntries(counts);
}
print(JSON.stringify(found));
"""


def is_primary(config: Config) -> bool:
    """Whether this host's server takes writes."""
    return bool(shell(PRIMARY, config["mongodb"])["primary"])


def save(config: Config, vault: Vault, type_: str = "") -> Record:
    """All databases as one archive, encrypted and stored."""
    counted = shell(COUNT, config["mongodb"])
    with scratch() as directory:
        path = f"{directory}/dump.archive"
        _with_login(config, directory, ["mongodump", f"--archive={path}", "--gzip"])
        return vault.save("mongodb", "dump.archive", path, counted)


def load(config: Config, path: str) -> str:
    """Bring all collections of an archive back in place of those that are there."""
    with scratch() as directory:
        _with_login(config, directory, ["mongorestore", f"--archive={path}", "--gzip", "--drop"])
    return "all collections"


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


KIND = Kind(is_saver=is_primary, save=save, prefixes=("mongodb/",), load=load)
