"""Back up now, without waiting for the timer.

    pyinfra inventory deploys/backup.py -y
    pyinfra inventory deploys/backup.py -y --data store=redis
    pyinfra inventory deploys/backup.py -y --data store=postgresql --data type=full

Waits until the backups are in the bucket.
"""

from nexus.run.arguments import Word, arguments
from runbooks.restore import back_up

given = arguments(
    store=Word("one store, environment, or copy; all if not given"),
    type=Word("the type of the backup, for a store that has types: full, diff or incr for PostgreSQL"),
)
back_up(given.store, given.type)
