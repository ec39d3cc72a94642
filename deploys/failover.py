"""Moves a store's primary to another host.

    pyinfra inventory deploys/failover.py [--data to=data2] [--data store=redis] [--data force=true]

Planned: nothing that was acknowledged is lost, writes wait for some seconds. `--dry` says what would happen.
Forced, where there is no primary and none is elected: what the promoted host does not have is lost.
"""

from roles.failover import failover

failover()
