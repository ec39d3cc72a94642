"""Backups on one host: the program that saves its stores to object storage, its timers and its keys.

The roles declare their stores (store.py); this file has what all stores share. All hosts of a store get the same
plan, since the primary at the time decides which of them acts. An environment without object storage gets nothing.
"""

import json
from typing import Any

import pyrage

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, Directory, File, Unit
from nexus.plan.sent import program
from nexus.run.exporter import TEXTFILES
from nexus.run.role import Roles
from roles.backup import copy, environment
from roles.backup.host.paths import CONFIG, FOLDER, IDENTITY, LIBRARY, RECORDS
from roles.backup.store import Saved, stores
from roles.storage.plan import BACKUP, access, present
from roles.storage.plan import notes as storage_notes
from roles.table import ROLES

# The modules that the program starts with, except those that know a store.
PROGRAM = ("roles.backup.host.__init__", "roles.backup.host.main", "roles.backup.host.restore")
TEST = "nexus-cos-restore-test"


def plan(env: Environment, host: Host, roles: Roles = ROLES) -> Desired:
    """Plan programs, keys, timers, and what each store adds to them. `roles` are those whose stores are saved."""
    kinds = kinds_of(env, host, roles)
    if not present(env) or not kinds:
        return Desired()
    parts = _parts(roles)
    own = [parts[kind].desired(env) for kind in kinds]
    timers = _timers(env, any(store.tests for name, store in stores(roles).items() if name in kinds))
    names = [file.path.rsplit("/", 1)[1] for file in timers if file.path.endswith(".timer")]
    return Desired(
        packages=("age", "python3", *(name for each in own for name in each.packages)),
        directories=(
            Directory(FOLDER, mode=0o700),
            Directory(RECORDS, mode=0o755),
            *(directory for each in own for directory in each.directories),
        ),
        files=(
            *_program(env, roles),
            *timers,
            *_keys(env, host, {kind: parts[kind] for kind in kinds}),
            *(file for each in own for file in each.files),
        ),
        units=tuple(Unit(name) for name in names),  # a timer reads its file again with the daemon-reload
        states=tuple(state for each in own for state in each.states),
    )


def notes(env: Environment, roles: Roles = ROLES) -> list[str]:
    """A note about an environment that saves nothing, and notes about the storage that others save to."""
    told = storage_notes(env)
    if present(env) or not any(roles.hosts(store, env) for store in stores(roles)):
        return told
    return [
        *told,
        f"{env.name} has no backups: add a host to the group storage, or set storage_endpoint to use a bucket "
        "elsewhere",
    ]


def kinds_of(env: Environment, host: Host, roles: Roles = ROLES) -> list[str]:
    """What a host must save; the environment itself is saved by its first host of operations, or of a store."""
    known = {store: roles.hosts(store, env) for store in stores(roles)}
    first = [hosts[0] for hosts in known.values() if hosts]
    keeper = next(iter([*env.group("ops"), *first, *env.hosts]))
    return [
        *(store for store in known if host in known[store]),
        *([environment.NAME] * (host == keeper)),
        *([copy.NAME] * (host == copy_holder(env, roles))),
    ]


def copy_holder(env: Environment, roles: Roles = ROLES) -> Host | None:
    """The host that keeps the copy of all buckets, if there is one."""
    saving = {host.name for store in stores(roles) for host in roles.hosts(store, env)}
    return copy.holder(env, [host for host in env.hosts if host.name in saving or "ops" in host.groups])


def retention_days(env: Environment) -> int:
    """The number of days that backups are kept."""
    figures = env.catalogue.operations.backups.database
    return int(env.setting.backup_retention_days or figures.retention_days)


def _parts(roles: Roles) -> dict[str, Saved]:
    return {**stores(roles), environment.NAME: environment.BACKUP, copy.NAME: copy.BACKUP}


def _program(env: Environment, roles: Roles) -> list[File]:
    """Files that are the same on all hosts: a restore test also reads files of stores that its host does not have."""
    modules = {name: f"{roles.package}.{name}.host.backup" for name in stores(roles)}
    modules |= {environment.NAME: environment.MODULE, copy.NAME: copy.MODULE}
    listed = File(f"{LIBRARY}/roles/backup/host/modules.py", env.render("backup/modules.py.j2", modules=modules))
    files = program([*PROGRAM, *modules.values()])
    return [listed, *(File(f"{LIBRARY}/{path}", text) for path, text in files.items())]


def _timers(env: Environment, tests: bool) -> list[File]:
    figures = env.catalogue.operations.backups
    hours = figures.database.incremental_every_hours
    days = figures.restore_test_every_days
    found = _timer(
        env, figures.timer.removesuffix(".timer"), "Backup of this host's stores", "backup",
        f"*-*-* 00/{hours}:10:00", 120,
    )  # fmt: skip
    if tests:
        calendar = "Sun *-*-* 03:30:00" if days % 7 == 0 else f"*-*-01/{days} 03:30:00"
        found += _timer(env, TEST, "Restore of the last backups into a scratch instance", "test", calendar, 600)
    return found


def _timer(env: Environment, name: str, what: str, words: str, calendar: str, spread: int) -> list[File]:
    again = words == "backup"  # not a test: it is long, and its failure means that a backup is damaged
    service = env.render("backup/service.j2", description=what, words=words, library=LIBRARY, again=again)
    timer = env.render("backup/timer.j2", description=what, calendar=calendar, spread_seconds=spread)
    folder = "/etc/systemd/system"
    return [File(f"{folder}/{name}.service", service), File(f"{folder}/{name}.timer", timer)]


def _keys(env: Environment, host: Host, parts: dict[str, Saved]) -> list[File]:
    identity = env.secrets.get("backup/age", lambda: str(pyrage.x25519.Identity.generate()))
    config: dict[str, Any] = {
        "host": host.name,
        "kinds": list(parts),
        "directory": RECORDS,
        "storage": access(env, BACKUP),
        "identity": IDENTITY,
        "recipient": str(pyrage.x25519.Identity.from_str(identity).to_public()),
        "retention_days": retention_days(env),
        "room_percent": env.setting.backup_test_room_percent,
        "metrics": f"{TEXTFILES}/nexus_backup.prom",
    }
    assert not config.keys() & parts.keys(), f"a store has the name of a key of {CONFIG}: {', '.join(parts)}"
    config |= {kind: part.config(env, host) for kind, part in parts.items()}
    text = json.dumps(config, indent=1, sort_keys=True) + "\n"
    return [File(CONFIG, text, mode=0o600, secret=True), File(IDENTITY, f"{identity}\n", mode=0o600, secret=True)]
