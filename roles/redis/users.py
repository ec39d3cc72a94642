"""Users of Redis as lines of its ACL file: what each service may do, and to which keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roles.catalogue import Service

ADMIN = "nexus-admin"

# Everything that works on keys and channels, which Redis checks against the user's prefixes one by one.
# INFO is what client libraries ask before they call a connection ready. Taken away again is what reaches
# beyond the prefixes: commands over the whole keyspace or server, names of other users' keys and channels,
# and functions, which all users share.
SERVICE_COMMANDS = (
    "-@all +@read +@write +@connection +@transaction +@pubsub +eval +evalsha +eval_ro +evalsha_ro "
    "+script|load +script|exists -@admin -@dangerous +info -function -pubsub -scan -randomkey -dbsize"
)


def acl(services: Iterable[Service], password_of: dict[str, str]) -> str:
    """The ACL file: nobody without a name, one administrator, one user for each service.

    `password_of` maps user to password; the file holds hashes alone.
    """
    lines = ["user default reset off", f"user {ADMIN} reset on {_hash(password_of[ADMIN])} ~* &* +@all"]
    for service in services:
        keys = " ".join(f"~{prefix}*" for prefix in service.key_prefixes)
        channels = " ".join(f"&{prefix}*" for prefix in service.key_prefixes)
        password = _hash(password_of[service.name])
        lines.append(f"user {service.name} reset on {password} {keys} {channels} {SERVICE_COMMANDS}")
    return "\n".join(lines) + "\n"


def _hash(password: str) -> str:
    return f"#{hashlib.sha256(password.encode()).hexdigest()}"
