"""Users of Redis as lines of its ACL files: what each service may do, and to which keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nexus.catalogue import Service

ADMIN, REPLICA, SENTINEL, HEALTH = "nexus-admin", "nexus-replica", "nexus-sentinel", "nexus-health"
METRICS = "nexus-metrics"

# Users of the platform itself, by the name of their secret: redis/admin and so on.
OWN = {"admin": ADMIN, "replica": REPLICA, "sentinel": SENTINEL, "health": HEALTH, "metrics": METRICS}

# Commands that Sentinel and a replica send to a server, by Redis's own documentation; the health check sends ROLE.
SENTINEL_COMMANDS = (
    "-@all +multi +exec +replicaof +slaveof +ping +subscribe +publish +info +role "
    "+config|rewrite +client|setname +client|kill +script|kill"
)
SERVER_RULES = {
    ADMIN: "~* &* +@all",
    REPLICA: "-@all +psync +replconf +ping",
    SENTINEL: f"&* {SENTINEL_COMMANDS}",
    HEALTH: "-@all +role",
    METRICS: "-@all +ping +info +slowlog|len +latency|latest",
}

# Commands that Sentinels send to each other; the health check asks for the primary's address.
SENTINEL_RULES = {
    ADMIN: "~* &* +@all",
    SENTINEL: "&* -@all +ping +publish +client|setname +sentinel|is-master-down-by-addr",
    HEALTH: "-@all +sentinel|get-master-addr-by-name",
    METRICS: "-@all +ping +info +sentinel|masters +sentinel|sentinels +sentinel|slaves +sentinel|ckquorum",
}

# Everything that works on keys and channels, which Redis checks against the user's prefixes one by one.
# Client libraries send INFO before they call a connection ready. Commands that reach beyond the prefixes are
# removed again: those over the whole keyspace or server, those that name other users' keys and channels, and
# functions, which all users share.
SERVICE_COMMANDS = (
    "-@all +@read +@write +@connection +@transaction +@pubsub +eval +evalsha +eval_ro +evalsha_ro "
    "+script|load +script|exists -@admin -@dangerous +info -function -pubsub -scan -randomkey -dbsize"
)


def server_acl(services: Iterable[Service], passwords_of: Mapping[str, Sequence[str]]) -> str:
    """Return the ACL file of a server: no default user, the platform's own users, one for each service.

    `passwords_of` maps user to passwords, two while they are changed; the file holds only hashes.
    """
    rules = dict(SERVER_RULES)
    for service in services:
        reach = [f"{sign}{prefix}*" for sign in "~&" for prefix in service.key_prefixes]
        rules[service.name] = " ".join([*reach, SERVICE_COMMANDS])
    return _acl(rules, passwords_of)


def sentinel_acl(passwords_of: Mapping[str, Sequence[str]]) -> str:
    """The ACL file of a Sentinel."""
    return _acl(SENTINEL_RULES, passwords_of)


def _acl(rules: Mapping[str, str], passwords_of: Mapping[str, Sequence[str]]) -> str:
    lines = [f"user {name} reset on {' '.join(map(_hash, passwords_of[name]))} {rule}" for name, rule in rules.items()]
    return "\n".join(["user default reset off", *lines]) + "\n"


def _hash(password: str) -> str:
    return f"#{hashlib.sha256(password.encode()).hexdigest()}"
