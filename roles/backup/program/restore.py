"""Bringing back: one act of the runbook deploys/restore.py on one host, said as words.

`python3 -m roles.backup.program.restore ACT ...`; it prints what it did, and ends with 1 and the reason where it
could not.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import sys
from collections.abc import Callable

from roles.backup.program import cluster, database, mongodb, postgresql, rabbitmq, redis, stanza
from roles.backup.program.main import CONFIG
from roles.backup.program.vault import Config, Vault
from roles.backup.program.vault import scratch as room
from roles.kit.agent.base import RemoteError

LATEST = "latest"
FILES = ("redis", "rabbitmq", "mongodb")

Acts = dict[str, tuple[tuple[str, ...], Callable[..., object]]]
ACTS: Acts = {
    "list": ((), lambda config: print(json.dumps(listed(config)))),
    "copy-database": (("name", "owner", "to", "into"), database.copy),
    "save-database": (("name",), database.save),
    "swap-database": (("name", "copy", "aside", "service"), database.swap),
    "copy-cluster": (("to",), cluster.copy),
    "drop-copy": ((), cluster.drop_copy),
    "stop": ((), cluster.stop),
    "place": (("aside",), cluster.place),
    "follow": ((), cluster.follow),
    "load": (("store", "to"), lambda config, store, to: load(config, store, to)),
}


def main() -> int:
    """Carry one act out."""
    parser = argparse.ArgumentParser(description=__doc__)
    acts = parser.add_subparsers(dest="act", required=True)
    for name, (words, _) in ACTS.items():
        act = acts.add_parser(name)
        for word in words:
            act.add_argument(word)
    given = vars(parser.parse_args())
    words, do = ACTS[given["act"]]
    with open(CONFIG) as stream:
        config = json.load(stream)
    try:
        do(config, *(given[word] for word in words))
    except (RemoteError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def listed(config: Config) -> dict[str, object]:
    """What there is to bring back: PostgreSQL's backups, and the files of the other stores by key."""
    found: dict[str, object] = {}
    if "postgresql" in config:
        found["postgresql"] = [
            {"label": backup["label"], "type": backup["type"], "stop": backup["timestamp"]["stop"]}
            for backup in postgresql.backups(config)
        ]
        found["system"] = stanza.system(config["postgresql"]["data"])
        found["saved_system"] = saved_system(config)
    bucket = Vault(config).bucket
    for store in FILES:
        found[store] = [key for key, _ in bucket.list(f"{store}/")]
    return found


def saved_system(config: Config) -> int:
    """The identifier of the cluster that the bucket holds; 0 where it holds none."""
    told = json.loads(postgresql.pgbackrest(config, ["--output=json", "info"], console="warn"))
    systems = [entry["system-id"] for known in told for entry in known.get("db", [])]
    return int(systems[-1]) if systems else 0


def load(config: Config, store: str, to: str) -> None:
    """Bring a store back from its newest file that is not younger than a moment."""
    vault = Vault(config)
    keys = [key for key, _ in vault.bucket.list(f"{store}/") if to == LATEST or made(key) <= moment(to)]
    if not keys:
        raise RemoteError(f"the bucket has nothing of {store}" + ("" if to == LATEST else f" from {to} or before"))
    with room() as directory:
        path = f"{directory}/file"
        vault.load(keys[-1], path)
        if store == "redis":
            print(f"{redis.load(config, path)} keys from {keys[-1]}")
        elif store == "rabbitmq":
            held = rabbitmq.load(config, path)
            print(f"{', '.join(f'{count} {kind}' for kind, count in held.items())} from {keys[-1]}")
        else:
            mongodb.load(config, path)
            print(f"all collections from {keys[-1]}")


def made(key: str) -> dt.datetime:
    """When a file was saved, by its key KIND/YYYY-MM-DD/HHMMSS-NAME."""
    with contextlib.suppress(ValueError, IndexError):
        _, day, name = key.split("/", 2)
        return dt.datetime.strptime(f"{day} {name[:6]}", "%Y-%m-%d %H%M%S").replace(tzinfo=dt.UTC)
    return dt.datetime.max.replace(tzinfo=dt.UTC)


def moment(to: str) -> dt.datetime:
    """A point in time as it is given, UTC where it does not say."""
    found = dt.datetime.fromisoformat(to.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


if __name__ == "__main__":
    sys.exit(main())
