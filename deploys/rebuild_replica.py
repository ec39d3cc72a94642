"""Copies a replica of PostgreSQL anew from the primary: one that cannot follow any more, or whose data is damaged.

    pyinfra inventory deploys/rebuild_replica.py --data host=data3

`--dry` says what would happen. Refused for the primary, and where no other replica would be in step.
"""

from roles.failover import rebuild_replica

rebuild_replica()
