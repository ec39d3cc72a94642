"""Moves a store's primary to another host.

    pyinfra inventory deploys/failover.py [--data to=data2] [--data store=STORE] [--data force=true]

Planned: nothing that was acknowledged is lost, writes wait for some seconds. `--dry` says what would happen.
Forced, where there is no primary and none is elected: what the promoted host does not have is lost.
"""

from nexus.run.arguments import Flag, Host, Store, arguments
from runbooks.failover import failover

given = arguments(
    to=Host("the host that becomes primary; the best replica if not given"),
    store=Store("the store whose primary moves; the first of these if not given", does="switch"),
    force=Flag("promote although acknowledged writes may be lost"),
)
failover(given.to, given.store, given.force)
