"""Backups on one host: what saves its stores into object storage, by which timers, with which keys.

Who is primary decides at the time which host of a store acts, so all of them are the same. Nothing is laid
down in an environment without object storage.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyrage

from roles.backup import pgbackrest
from roles.certificate.plan import CA
from roles.kit.environment import Environment, Host
from roles.kit.model import ROOT, Desired, Directory, File, State, Unit
from roles.mongodb.plan import ADMIN as MONGODB_ADMIN
from roles.postgresql.plan import context as postgresql_access
from roles.rabbitmq.users import ADMIN as RABBITMQ_ADMIN
from roles.redis.instance import PERSISTENT
from roles.redis.users import ADMIN as REDIS_ADMIN
from roles.storage.plan import BACKUP, access, bucket, present
from roles.storage.plan import notes as storage_notes

LIBRARY = "/usr/local/lib/nexus-cos/python"
KIT, STORAGE = ("kit/agent/base", "kit/agent/web"), ("storage/signature", "storage/s3")
MODULES = (*KIT, *STORAGE, "postgresql/rest", "redis/client", "rabbitmq/api")  # that it imports
SHARED = ("roles.backup.program.stanza",)  # of the program: the role's host-side code imports it, too
FOLDER = "/etc/nexus-cos/backup"
CONFIG, IDENTITY = f"{FOLDER}/config.json", f"{FOLDER}/age.key"
RECORDS = "/var/lib/nexus-cos/backup"  # what is known of the last backup of each kind
SECRETS = f"{RECORDS}/secrets.age"
TEST = "nexus-cos-restore-test"
PATHS = ("/var/lib/nexus-cos/record", SECRETS)  # of an environment, beside its stores
STORES = ("postgresql", "redis", "rabbitmq", "mongodb")


def plan(env: Environment, host: Host) -> Desired:
    """Programs, keys, timers; on PostgreSQL's hosts pgBackRest."""
    kinds = kinds_of(env, host)
    if not present(env) or not kinds:
        return Desired()
    timers = _timers(env, host)
    packages, files = ["age", "python3"], [*_program(), *timers, *_keys(env, host, kinds)]
    states = []
    if "postgresql" in kinds:
        packages.append("pgbackrest")
        config = pgbackrest.config(env)
        files.append(File(pgbackrest.CONFIG, config, group="postgres", mode=0o640, secret=True))
        states.append(_stanza(env))
    if "environment" in kinds:
        states.append(_environment(env))
    names = [Path(file.path).name for file in timers if file.path.endswith(".timer")]
    return Desired(
        packages=tuple(packages),
        directories=(Directory(FOLDER, mode=0o700), Directory(RECORDS, mode=0o755)),
        files=tuple(files),
        units=tuple(Unit(name) for name in names),  # a timer takes its file anew with the daemon-reload
        states=tuple(states),
    )


def notes(env: Environment) -> list[str]:
    """A word about an environment that saves nothing, and about the place that others save to."""
    told = storage_notes(env)
    if present(env) or not any(env.group(store) for store in STORES):
        return told
    return [
        *told,
        f"nothing of {env.name} is backed up: put a host into the group storage, or name a bucket elsewhere by "
        "storage_endpoint"
    ]


def kinds_of(env: Environment, host: Host) -> list[str]:
    """What a host has to save; the environment itself is saved by its first host of operations."""
    found = [store for store in STORES if store in host.groups]
    keeper = next(iter(env.group("ops") or env.group("postgresql") or env.hosts))
    return [*found, *(["environment"] if host.name == keeper.name else [])]


def _program() -> list[File]:
    own = sorted((ROOT / "roles/backup/program").glob("*.py"))
    paths = [*(ROOT / "roles" / f"{name}.py" for name in MODULES), *own]
    return [File(f"{LIBRARY}/{path.relative_to(ROOT)}", path.read_text()) for path in paths]


def _timers(env: Environment, host: Host) -> list[File]:
    figures = env.catalogue.operations.backups
    hours = int(figures.database["incremental_every_hours"])
    days = figures.restore_test_every_days
    found = _timer(
        env, figures.timer.removesuffix(".timer"), "Backup of this host's stores", "backup",
        f"*-*-* 00/{hours}:10:00", 120,
    )  # fmt: skip
    if "postgresql" in host.groups:
        calendar = "Sun *-*-* 03:30:00" if days % 7 == 0 else f"*-*-01/{days} 03:30:00"
        found += _timer(env, TEST, "Restore of the last backups into a scratch instance", "test", calendar, 600)
    return found


def _timer(env: Environment, name: str, what: str, words: str, calendar: str, spread: int) -> list[File]:
    again = words == "backup"  # a test that fails is long, and says that a backup is damaged
    service = env.render("backup/service.j2", description=what, words=words, library=LIBRARY, again=again)
    timer = env.render("backup/timer.j2", description=what, calendar=calendar, spread_seconds=spread)
    folder = "/etc/systemd/system"
    return [File(f"{folder}/{name}.service", service), File(f"{folder}/{name}.timer", timer)]


def _keys(env: Environment, host: Host, kinds: list[str]) -> list[File]:
    identity = env.secrets.get("backup/age", lambda: str(pyrage.x25519.Identity.generate()))
    config: dict[str, Any] = {
        "environment_name": env.name,
        "host": host.name,
        "kinds": kinds,
        "directory": RECORDS,
        "storage": access(env, BACKUP),
        "identity": IDENTITY,
        "recipient": str(pyrage.x25519.Identity.from_str(identity).to_public()),
        "retention_days": pgbackrest.retention_days(env),
        "room_percent": env.setting.backup_test_room_percent,
        **{store: _STORES[store](env, host) for store in kinds},
    }
    text = json.dumps(config, indent=1, sort_keys=True) + "\n"
    return [
        File(CONFIG, text, mode=0o600, secret=True),
        File(IDENTITY, f"{identity}\n", mode=0o600, secret=True),
    ]


def _postgresql(env: Environment, host: Host) -> dict[str, Any]:
    version = env.setting.postgresql_version
    return {
        **postgresql_access(env),
        "members": {member.name: member.address for member in env.group("postgresql")},
        "stanza": pgbackrest.STANZA,
        "repository": pgbackrest.repository(env).lstrip("/"),
        "data": pgbackrest.data(env),
        "programs": f"/usr/lib/postgresql/{version}/bin",
        "socket": pgbackrest.SOCKET,
        "full_hours": pgbackrest.full_hours(env),
        "differential_hours": env.setting.backup_differential_hours,
        "checksum_rows": env.setting.backup_checksum_rows,
    }


def _redis(env: Environment, host: Host) -> dict[str, Any]:
    return {
        "socket": PERSISTENT.socket,
        "snapshot": f"{PERSISTENT.directory}/dump.rdb",
        "user": REDIS_ADMIN,
        "password": env.secret("redis/admin"),
    }


def _rabbitmq(env: Environment, host: Host) -> dict[str, Any]:
    return {
        "port": int(env.setting.rabbitmq_management_port),
        "user": RABBITMQ_ADMIN,
        "passwords": env.secrets.accepted("rabbitmq/admin"),
        "speaks": host.name == env.group("rabbitmq")[0].name,  # definitions are the whole cluster's
    }


def _mongodb(env: Environment, host: Host) -> dict[str, Any]:
    return {
        "address": host.address,
        "port": int(env.setting.mongodb_port),
        "ca": CA,
        "user": MONGODB_ADMIN,
        "password": env.secret("mongodb/admin"),
    }


def _paths(env: Environment, host: Host) -> dict[str, Any]:
    return {"secrets": SECRETS, "paths": list(PATHS)}


_STORES = {
    "postgresql": _postgresql,
    "redis": _redis,
    "rabbitmq": _rabbitmq,
    "mongodb": _mongodb,
    "environment": _paths,
}


def _stanza(env: Environment) -> State:
    """PostgreSQL's part of the bucket belongs to this cluster; its first backup begins with it."""
    where = f"{access(env, BACKUP)['endpoint']}/{bucket(env)}{pgbackrest.repository(env)}"
    context = {
        "about": "stanza",
        "where": where,
        "data": pgbackrest.data(env),
        "records": RECORDS,
        "stanza": pgbackrest.STANZA,
        "service": env.catalogue.operations.backups.service,
        "wait_seconds": int(env.setting.postgresql_join_seconds),
    }
    items = {"stanza": {"ours": True}}
    return State("backup stanza", _source(), items, context=context, libraries=SHARED, timeout_seconds=600)


def _environment(env: Environment) -> State:
    """The secrets file on a host that saves it, encrypted as it is."""
    context = {"about": "secrets", "path": SECRETS}
    return State("backup secrets", _source(), _Items(env), context=context, libraries=SHARED)


def _source() -> Path:
    return Path(__file__).with_name("remote.py")


class _Items(Mapping[str, Mapping[str, Any]]):
    """The secrets as one fingerprint of what they are, since the file is other bytes each time it is written.

    Computed when it is compared: plans that are made later may still add secrets.
    """

    def __init__(self, env: Environment) -> None:
        self._env = env

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        if name != "secrets":
            raise KeyError(name)
        key = self._env.secret("backup/postgresql").encode()  # before the others are looked at: it may be new
        secrets = self._env.secrets
        values = {each: secrets.optional(each) for each in secrets.names()}
        text = json.dumps([values, sorted(secrets.readers)], sort_keys=True)
        return {"content": hmac.digest(key, text.encode(), "sha256").hex()[:16]}

    def __iter__(self) -> Iterator[str]:
        return iter(["secrets"])

    def __len__(self) -> int:
        return 1
