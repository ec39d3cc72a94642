"""Copy a replica of a store from its primary again, if it can no longer follow or its data is damaged.

    pyinfra inventory deploys/rebuild_replica.py --data host=data3

`--dry` shows what would happen. Refused for the primary, and if no other replica would be in step.
"""

from nexus.run.arguments import Flag, Host, Store, arguments
from runbooks.failover import rebuild_replica

given = arguments(
    host=Host("the host whose replica is copied again"),
    store=Store("the store of the replica; the first of these if not given", does="rebuild"),
    force=Flag("continue even if all writes wait during the copy"),
)
rebuild_replica(given.host, given.store, given.force)
