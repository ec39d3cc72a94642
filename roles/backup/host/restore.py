"""Bringing back: one act of the runbook deploys/restore.py on one host, said as words.

`python3 -m roles.backup.host.restore ACT ...`; it prints what it did, and ends with 1 and the reason where it
could not.
"""

import argparse
import contextlib
import datetime as dt
import json
import sys
from collections.abc import Mapping

from nexus.agent.lib import RemoteError
from roles.backup.host.kind import Acts, Kind, kinds
from roles.backup.host.paths import CONFIG
from roles.backup.host.vault import Config, Vault
from roles.backup.host.vault import scratch as room

LATEST = "latest"


def main() -> int:
    """Carry one act out."""
    known = acts_of(kinds())
    parser = argparse.ArgumentParser(description=__doc__)
    acts = parser.add_subparsers(dest="act", required=True)
    for name, (words, _) in known.items():
        act = acts.add_parser(name)
        for word in words:
            act.add_argument(word)
    given = vars(parser.parse_args())
    words, do = known[given["act"]]
    with open(CONFIG, errors="replace") as stream:
        config = json.load(stream)
    try:
        do(config, *(given[word] for word in words))
    except (RemoteError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def acts_of(known: Mapping[str, Kind]) -> Acts:
    """Acts by name: those of each kind, and what is the same for all."""
    return {
        "list": ((), lambda config: print(json.dumps(listed(config, known)))),
        **{name: act for kind in known.values() for name, act in kind.acts.items()},
        "load": (("store", "to"), lambda config, store, to: load(config, known, store, to)),
    }


def listed(config: Config, known: Mapping[str, Kind]) -> dict[str, object]:
    """What there is to bring back: what kinds of this host say, and the files of all others by key."""
    found: dict[str, object] = {}
    bucket = Vault(config).bucket
    for name, kind in known.items():
        if name in config["kinds"]:
            found |= kind.listed(config)
        if kind.load:
            found[name] = [key for key, _ in bucket.list(f"{name}/")]
    return found


def load(config: Config, known: Mapping[str, Kind], store: str, to: str) -> None:
    """Bring a store back from its newest file that is not younger than a moment."""
    vault = Vault(config)
    keys = [key for key, _ in vault.bucket.list(f"{store}/") if to == LATEST or made(key) <= moment(to)]
    if not keys:
        raise RemoteError(f"the bucket has nothing of {store}" + ("" if to == LATEST else f" from {to} or before"))
    into = known[store].load
    if not into:
        raise RemoteError(f"{store} is not put into a server that runs: deploys/restore.py says how it comes back")
    with room() as directory:
        path = f"{directory}/file"
        vault.load(keys[-1], path)
        print(f"{into(config, path)} from {keys[-1]}")


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
