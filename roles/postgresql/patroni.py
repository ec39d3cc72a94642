"""Patroni's configuration: what each host has in a file, and what the cluster has in etcd.

The file holds what may differ between hosts and is read again on reload; the rest has to be the same
everywhere and is kept in etcd, where a run converges it through Patroni's API (host/cluster.py).
"""

import hashlib
import json
from typing import Any

import yaml

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from roles.certificate.plan import CA, ETCD_CA, ETCD_KEY, ETCD_LEAF, KEY, LEAF
from roles.etcd.plan import endpoints
from roles.postgresql import access
from roles.postgresql.tuning import DOCUMENTED_MEMORY_BYTES, tuned
from roles.storage.plan import present

SCOPE = "nexus-cos"
STANZA = "nexus-cos"  # of pgBackRest, which takes the log (pgbackrest.py)
CONFIG = "/etc/patroni/config.yml"
HOME = "/var/lib/postgresql"
API_USER = "patroni"
SHARED = ("max_worker_processes",)  # of the tuning: must be the same on all members
SENDERS = 10


def file(env: Environment, host: Host) -> tuple[str, str]:
    """Return the host's file, and the tag by which Patroni shows that it runs with this file."""
    content = _file(env, host)
    tag = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
    tagged = {**content, "tags": {"config": tag}}
    return "# Generated.\n" + yaml.dump(tagged, Dumper=yaml.CSafeDumper, sort_keys=False, width=200), tag


def programs(env: Environment) -> str:
    """Return the directory of PostgreSQL's programs; Debian's wrapper in the path takes 20 ms longer."""
    return f"/usr/lib/postgresql/{env.setting.postgresql_version}/bin"


def cluster(env: Environment) -> dict[str, Any]:
    """Return the settings that the cluster keeps in etcd."""
    setting, several = env.setting, len(env.group("postgresql")) > 1
    tuning = env.catalogue.operations.tuning.postgresql.settings
    return {
        "ttl": setting.postgresql_ttl_seconds,
        "loop_wait": setting.postgresql_loop_seconds,
        "retry_timeout": setting.postgresql_retry_seconds,
        "maximum_lag_on_failover": 1024**2,
        "synchronous_mode": several,
        "synchronous_mode_strict": several and bool(setting.postgresql_synchronous_strict),
        "synchronous_node_count": 1,
        "failsafe_mode": False,  # without a quorum of etcd, no member may acknowledge a write
        "postgresql": {
            "use_pg_rewind": True,
            "use_slots": True,
            "parameters": {
                "max_connections": setting.postgresql_max_connections,
                "max_wal_senders": SENDERS,
                "max_replication_slots": SENDERS,
                "wal_level": "replica",
                "wal_log_hints": "on",
                **archiving(env),
                **{name: tuning[name] for name in SHARED if name in tuning},
            },
        },
    }


def in_force(env: Environment, host: Host) -> dict[str, Any]:
    """Return the settings, by name, of a host's server that runs as planned."""
    return {**parameters(env, host), **cluster(env)["postgresql"]["parameters"], "data_checksums": "on"}


def data(env: Environment) -> str:
    """PostgreSQL's data directory."""
    return f"{HOME}/{env.setting.postgresql_version}/main"


def archiving(env: Environment) -> dict[str, Any]:
    """PostgreSQL's settings for continuous archiving; none without object storage."""
    if not present(env):
        return {}
    return {
        "archive_mode": "on",
        "archive_command": f"pgbackrest --stanza={STANZA} archive-push %p",
        "archive_timeout": int(env.setting.backup_archive_timeout_seconds),
    }


def check(env: Environment) -> None:
    """Raise OperatorError for timeouts that contradict each other, and for a cluster without etcd."""
    setting = env.setting
    least = setting.postgresql_loop_seconds + 2 * setting.postgresql_retry_seconds
    if setting.postgresql_ttl_seconds < least:
        raise OperatorError(
            f"postgresql_ttl_seconds is {setting.postgresql_ttl_seconds}, but postgresql_loop_seconds + 2 * "
            f"postgresql_retry_seconds is {least}: a primary would lose its key while it still tries to renew it. "
            f"Set postgresql_ttl_seconds to {least} or more"
        )
    if not env.group("etcd"):
        raise OperatorError(
            "PostgreSQL's hosts need etcd to agree on the primary, but the group etcd is empty: add the same "
            "hosts to it, one or three, in the inventory"
        )


def _file(env: Environment, host: Host) -> dict[str, Any]:
    start = cluster(env) | {"synchronous_mode_strict": False}  # no standby exists yet to wait for
    tls = {"cacert": ETCD_CA, "cert": ETCD_LEAF, "key": ETCD_KEY}
    return {
        "scope": SCOPE,
        "name": host.name,
        "restapi": {
            "listen": f"{host.address}:{env.setting.postgresql_rest_port}",
            "connect_address": f"{host.address}:{env.setting.postgresql_rest_port}",
            "certfile": LEAF,
            "keyfile": KEY,
            "cafile": CA,
            "verify_client": "optional",  # a client that changes something needs a certificate and the password
            "authentication": {"username": API_USER, "password": env.secret("postgresql/api")},
        },
        "ctl": {"cacert": CA, "certfile": LEAF, "keyfile": KEY},
        "etcd3": {"hosts": endpoints(env), "protocol": "https", **tls},
        "bootstrap": {
            "dcs": start,
            "initdb": ["data-checksums", {"encoding": "UTF8"}, {"locale": "C.UTF-8"}, {"auth-host": "scram-sha-256"}],
        },
        "postgresql": _postgresql(env, host),
        "watchdog": {"mode": "automatic", "device": "/dev/watchdog", "safety_margin": 5},
    }


def _postgresql(env: Environment, host: Host) -> dict[str, Any]:
    port = env.setting.postgresql_port
    verified = {"sslmode": "verify-full", "sslrootcert": CA}

    def login(user: str, secret: str) -> dict[str, Any]:
        return {"username": user, "password": env.secret(f"postgresql/{secret}"), **verified}

    return {
        "listen": f"{host.address},127.0.0.1:{port}",
        "connect_address": f"{host.address}:{port}",
        "use_unix_socket": True,
        "data_dir": data(env),
        "bin_dir": programs(env),
        "pgpass": f"{HOME}/.patroni.pgpass",
        "authentication": {
            "superuser": login(access.SUPERUSER, "superuser"),
            "replication": login(access.REPLICATION, "replication"),
        },
        "parameters": parameters(env, host),
        "pg_hba": access.server(env, host),
        "pg_ident": access.accounts(),
        "create_replica_methods": ["basebackup"],
        "basebackup": [{"checkpoint": "fast"}],
        # A replica whose data diverged is copied again: writes that only it has were never acknowledged.
        "remove_data_directory_on_rewind_failure": True,
        "remove_data_directory_on_diverged_timelines": True,
    }


def parameters(env: Environment, host: Host) -> dict[str, Any]:
    """Settings of this host's server, those of memory scaled to it (operations.yaml, tuning.postgresql)."""
    memory = host.traits.memory_bytes if host.traits else DOCUMENTED_MEMORY_BYTES
    figures = env.catalogue.operations.tuning
    own = tuned(figures.postgresql.settings, memory * host.setting.postgresql_memory_percent // 100)
    return {
        **{name: value for name, value in sorted(own.items()) if name not in SHARED},
        "unix_socket_directories": "/run/postgresql",
        "superuser_reserved_connections": 3,
        "password_encryption": "scram-sha-256",
        "ssl": "on",
        "ssl_cert_file": LEAF,
        "ssl_key_file": KEY,
        "ssl_ca_file": CA,
        "ssl_min_protocol_version": "TLSv1.2",
        # An acknowledged write is on disk, here and on a second host.
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        # A replica that finds no primary tries again this soon: no write is acknowledged until a replica streams.
        "wal_retrieve_retry_interval": "1s",
        "log_min_duration_statement": figures.queries.slow_ms,
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "log_checkpoints": "on",
        "log_lock_waits": "on",
        "log_temp_files": "10MB",
        "log_timezone": "Etc/UTC",
        "timezone": "Etc/UTC",
    }
