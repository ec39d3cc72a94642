"""Copies a replica of a store again from its primary: one that cannot follow any more, or whose data is damaged.

    pyinfra inventory deploys/rebuild_replica.py --data host=data3

`--dry` says what would happen. Refused for the primary, and where no other replica would be in step.
"""

from nexus.run.arguments import Flag, Host, Store, arguments
from runbooks.failover import rebuild_replica

given = arguments(
    host=Host("the host whose replica is copied again"),
    store=Store("the store of the replica; the first of these if not given", does="rebuild"),
    force=Flag("continue although all writes wait during the copy"),
)
rebuild_replica(given.host, given.store, given.force)
