"""What timers and runbooks start: `python3 -m roles.backup.program.main backup | test | ...`."""

from __future__ import annotations

import argparse
import fcntl
import json
import sys
from collections.abc import Callable
from typing import Any

from roles.backup.program import environment, mongodb, postgresql, proof, rabbitmq, record, redis
from roles.backup.program.vault import Config, Vault
from roles.kit.agent.base import RemoteError

CONFIG = "/etc/nexus-cos/backup/config.json"
LOCK = "/run/nexus-cos/backup.lock"


def main() -> int:
    """0 when all that this host had to do was done and is right."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    backup = commands.add_parser("backup", help="save what this host has to save")
    backup.add_argument("--type", default="", help="of PostgreSQL: full, diff or incr; what is due if not given")
    backup.add_argument("--only", default="", help="kinds, with commas between; all if not given")
    test = commands.add_parser("test", help="restore into a scratch instance, and compare")
    test.add_argument("--here", action="store_true", help="on this host, whichever's turn it is")
    options = parser.parse_args()
    with open(CONFIG) as stream:
        config = json.load(stream)
    with open(LOCK, "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one after the other
        if options.command == "backup":
            return save(config, options.type, [kind for kind in options.only.split(",") if kind])
        return proof.main(config, options.here)


def save(config: Config, kind: str, only: list[str]) -> int:
    """Every kind whose turn it is on this host; how many of them failed."""
    vault, failed = Vault(config), 0
    work: dict[str, tuple[Callable[[], bool], Callable[[], dict[str, Any]]]] = {
        "postgresql": (lambda: postgresql.is_primary(config), lambda: postgresql.save(config, kind)),
        "redis": (lambda: redis.is_primary(config), lambda: redis.save(config, vault)),
        "rabbitmq": (lambda: bool(config["rabbitmq"]["speaks"]), lambda: rabbitmq.save(config, vault)),
        "mongodb": (lambda: mongodb.is_primary(config), lambda: mongodb.save(config, vault)),
        "environment": (lambda: True, lambda: environment.save(config, vault)),
    }
    for name in config["kinds"]:
        if only and name not in only:
            continue
        mine, do = work[name]
        try:
            if not mine():
                print(f"{name}: another host's turn")
                continue
        except RemoteError as error:
            print(f"{name}: whose turn it is could not be found out: {error}", file=sys.stderr)
            failed += 1
            continue
        found = record.recorded(config, vault, name, do)
        failed += tell(name, found)
    if "environment" in config["kinds"] and not only:
        try:
            print(f"removed {vault.expire(config['retention_days'])} files that are too old")
        except RemoteError as error:
            print(f"what is too old could not be removed: {error}", file=sys.stderr)
            failed += 1
    return failed


def tell(name: str, found: dict[str, Any]) -> int:
    """Say how it went; 1 when it failed."""
    if found["ok"]:
        print(f"{name}: {found['type']} {found['label']}, {found['bytes']} bytes, {found['seconds']} s")
        return 0
    print(f"{name}: FAILED: {found['error']}", file=sys.stderr)
    return 1


def guarded() -> int:
    """The exit status, with one line in place of a traceback for what an operator can mend."""
    try:
        return main()
    except RemoteError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(guarded())
