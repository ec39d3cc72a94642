"""Move a store's primary to another host.

    pyinfra inventory deploys/failover.py [--data to=data2] [--data store=STORE] [--data force=true]

A planned failover loses no acknowledged write; writes wait for some seconds. `--dry` shows what would happen.
`force=true` is for a store that has no primary and elects none: writes that the promoted host lacks are lost.
"""

from nexus.run.arguments import Flag, Host, Store, arguments
from runbooks.failover import failover

given = arguments(
    to=Host("the host that becomes primary; the best replica if not given"),
    store=Store("the store whose primary moves; the first of these if not given", does="switch"),
    force=Flag("promote even if acknowledged writes may be lost"),
)
failover(given.to, given.store, given.force)
