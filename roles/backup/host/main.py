"""What timers and runbooks start: `python3 -m roles.backup.host.main backup | test | ...`."""

import argparse
import fcntl
import json
import sys
from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import RemoteError
from roles.backup.host import proof, record
from roles.backup.host.kind import Kind, kinds
from roles.backup.host.paths import CONFIG
from roles.backup.host.vault import Config, Vault

LOCK = "/run/nexus-cos/backup.lock"
ENVIRONMENT = "environment"  # the one host that saves it removes what is too old, too


def main() -> int:
    """0 when all that this host had to do was done and is right."""
    known = kinds()
    options = arguments(known).parse_args()
    with open(CONFIG, errors="replace") as stream:
        config = json.load(stream)
    with open(LOCK, "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one after the other
        if options.command == "backup":
            return save(config, known, options.type, [kind for kind in options.only.split(",") if kind])
        return proof.main(config, known, options.here)


def arguments(known: Mapping[str, Kind]) -> argparse.ArgumentParser:
    """The words of the command line."""
    typed = [kind for kind in known.values() if kind.types]
    types = [f"of {kind.title}: {', '.join(kind.types[:-1])} or {kind.types[-1]}" for kind in typed]
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    backup = commands.add_parser("backup", help="save what this host has to save")
    backup.add_argument("--type", default="", help="; ".join([*types, "what is due if not given"]))
    backup.add_argument("--only", default="", help="kinds, with commas between; all if not given")
    test = commands.add_parser("test", help="restore into a scratch instance, and compare")
    test.add_argument("--here", action="store_true", help="on this host, whichever's turn it is")
    return parser


def save(config: Config, known: Mapping[str, Kind], type_: str, only: list[str]) -> int:
    """Every kind whose turn it is on this host; how many of them failed."""
    vault, failed = Vault(config), 0
    for name in config["kinds"]:
        if not only or name in only:
            failed += save_kind(config, vault, name, known[name], type_)
    if ENVIRONMENT in config["kinds"] and not only:
        prefixes = [prefix for kind in known.values() for prefix in kind.prefixes]
        try:
            print(f"removed {vault.expire(config['retention_days'], prefixes)} files that are too old")
        except RemoteError as error:
            print(f"what is too old could not be removed: {error}", file=sys.stderr)
            failed += 1
    return failed


def save_kind(config: Config, vault: Vault, name: str, kind: Kind, type_: str) -> int:
    """One kind, if it is this host's turn; 1 when that failed."""
    try:
        if not kind.is_saver(config):
            print(f"{name}: another host's turn")
            return 0
    except RemoteError as error:
        print(f"{name}: whose turn it is could not be found out: {error}", file=sys.stderr)
        return 1
    return tell(name, record.recorded(config, vault, name, lambda: kind.save(config, vault, type_)))


def tell(name: str, found: dict[str, Any]) -> int:
    """Say how it went; 1 when it failed."""
    if found["ok"]:
        print(f"{name}: {found['type']} {found['label']}, {found['bytes']} bytes, {found['seconds']} s")
        return 0
    print(f"{name}: FAILED: {found['error']}", file=sys.stderr)
    return 1


def guarded() -> int:
    """The exit status, with one line in place of a traceback for an error that an operator can fix."""
    try:
        return main()
    except RemoteError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(guarded())
